/** Texts of the live board, a bank's page, the drawer of a locker and the lock of staff's pages. */
export const board = {
	title: '현황',
	alarms: {
		title: '확인하지 않은 경보',
		count: (count: string): string => `확인하지 않은 경보 ${count}건`,
		none: '확인하지 않은 경보가 없습니다.',
		all: '경보 모두 보기',
		more: (count: string): string => `${count}건 더 있습니다.`,
		kinds: {
			forced_open: '요청 없이 열림',
			opened_unwatched: '못 본 사이 열림',
			left_open: '문이 열려 있음',
			jammed: '문이 안 열림',
			sensor_fault: '문 감지기 고장',
			board_offline: '보드 응답 없음',
			bus_offline: '통신 포트 끊김',
			help: '직원 호출'
		} as Record<string, string>,
		other: '경보',
		severities: { critical: '긴급', warning: '주의', info: '참고' } as Record<string, string>,
		board: (bus: string, board: number): string => `${bus} 보드 ${board}`,
		bus: (bus: string): string => `통신 포트 ${bus}`,
		ended: '원인은 끝났습니다',
		escalated: '오래 이어지는 중'
	},
	today: {
		title: '오늘 할 일',
		ends: '오늘 끝나는 대여',
		late: '연체',
		shortages: '내일 쓸 수 없는 칸',
		returns: '반납 확인 대기',
		count: (count: string): string => `${count}건`,
		atLeast: (count: string): string => `${count}건 이상`,
		mails: (dead: string, due: string): string => `보내지 못한 메일 ${dead}건, 기다리는 메일 ${due}건이 있습니다.`,
		toMails: '메일 보기',
		mass: (opened: string): string => `일괄 개방을 진행하고 있습니다. 지금까지 ${opened}칸을 처리했습니다.`,
		toMass: '일괄 개방 보기',
		jobs: (count: string): string => `저절로 도는 작업 ${count}개가 실패했습니다.`,
		toJobs: '상태와 작업 보기',
		clock: '서버가 시각을 확인하지 못해 신청과 만료를 멈췄습니다. 문은 열 수 있습니다.',
		toClock: '시각 확인하기'
	},
	onlyAlarms: '경보만 보기',
	onlyAlarmsNone: '경보가 있는 사물함이 없습니다.',
	showAll: '모두 보기',
	none: '맡은 사물함이 없습니다. 관리자에게 사물함을 맡겨 달라고 요청해 주세요.',
	makeBank: '사물함 만들기',
	tiles: '사물함',
	tile: {
		alarms: (count: string): string => `경보 ${count}건`,
		maintenance: '점검 중',
		modes: { choose: '칸을 골라 대여', pool: '날짜로 예약' } as Record<string, string>,
		inService: '운영',
		free: '빈 칸',
		held: '선택 중',
		taken: '사용 중',
		late: '연체',
		out: '사용 불가',
		doorsOpen: '문 열림',
		answering: (answering: number, all: number): string => `보드 ${answering}/${all} 응답`,
		last: (ago: string): string => `마지막 응답 ${ago}`,
		never: '응답 기록 없음',
		noBoards: '전자 잠금 장치 없음',
		unknown: '확인 중',
		lost: '이 사물함의 상태를 불러오지 못했습니다.'
	},
	bank: {
		toBoard: '현황',
		unknownTitle: '없는 사물함입니다',
		unknown: '주소가 바뀌었거나, 맡은 사물함이 아닙니다.',
		settings: '사물함 설정',
		policy: '대여 규칙',
		openings: '개방 기록',
		find: '번호로 찾기',
		findButton: '찾기',
		missing: (number: string): string => `${number}번 칸이 이 사물함에 없습니다.`,
		legend: '칸 표시',
		list: {
			caption: '칸 목록',
			number: '번호',
			state: '상태',
			door: '문과 표시',
			renter: '빌린 사람',
			until: '마지막 날',
			look: '보기',
			lookAt: (number: string): string => `${number}번 칸 보기`,
			show: '보여 줄 칸',
			none: '조건에 맞는 칸이 없습니다.',
			kinds: {
				all: '모두',
				free: '빈 칸',
				taken: '사용 중',
				late: '연체',
				out: '사용 불가',
				open: '문 열림',
				marked: '경보나 확인할 것'
			}
		},
		marks: {
			alarm: '경보',
			open: '문 열림',
			silent: '보드 응답 없음',
			unknown: '문 상태 모름'
		},
		maintenance: {
			on: '점검 시작',
			off: '점검 끝내기',
			onTitle: '점검을 시작합니까?',
			onText: '점검하는 동안 이 사물함의 문은 경보를 울리지 않고, 지금 울리는 경보는 멈춥니다. 보드는 계속 지켜봅니다.',
			offTitle: '점검을 끝냅니까?',
			offText: '이 사물함의 문을 다시 지켜봅니다. 열려 있는 문은 경보가 될 수 있습니다.',
			banner: '점검 중입니다. 문이 열려도 경보를 울리지 않습니다.',
			started: '점검을 시작했습니다.',
			ended: '점검을 끝냈습니다.'
		}
	},
	drawer: {
		label: '고른 칸',
		hint: '배치도에서 칸을 고르면 빌린 사람, 문, 기록이 여기에 보입니다.',
		renter: '빌린 사람',
		nobody: '빌린 사람이 없습니다.',
		left: '탈퇴한 회원',
		show: '보이기',
		hide: '가리기',
		showId: '학번 보이기',
		id: '학번',
		dates: '기간',
		daysLeft: (days: string): string => `${days} 남음`,
		lastDay: '오늘이 마지막 날',
		late: (days: string): string => `${days} 연체`,
		state: '대여 상태',
		states: {
			reserved: '예약됨',
			held: '선택 중',
			active: '대여 중',
			returned: '반납 확인 중'
		} as Record<string, string>,
		waits: {
			door: '문이 닫히기를 기다립니다',
			grace: '두고 간 물건을 가져갈 시간입니다',
			confirmation: '비웠다는 확인을 기다립니다',
			staff: '직원의 확인을 기다립니다'
		} as Record<string, string>,
		freeAt: (time: string): string => `${time}에 비워집니다`,
		openedAt: '처음 연 때',
		neverOpened: '아직 열지 않음',
		door: '문',
		doors: { open: '열림', closed: '닫힘', unknown: '알 수 없음' } as Record<string, string>,
		doorSince: (door: string, ago: string): string => `${door} (${ago}부터)`,
		noLock: '전자 잠금 장치 없음',
		wire: '연결',
		wireText: (bus: string, board: number, lock: number): string => `${bus} 보드 ${board}, ${lock}번 자물쇠`,
		boardSilent: '보드가 응답하지 않습니다. 열기를 눌러 볼 수는 있습니다.',
		outBecause: (reason: string): string => `사용 중지: ${reason}`,
		alarm: (kind: string, ago: string): string => `${kind} (${ago})`,
		toCase: '연체 처리 보기',
		actions: '할 수 있는 일',
		open: (number: string): string => `${number}번 칸 열기`,
		openings: '최근 열기 10번',
		noOpenings: '최근 400일 동안 연 기록이 없습니다.',
		openingBy: (who: string, as: string): string => `${who} · ${as}`,
		openedAs: { renter: '빌린 사람으로', staff: '직원으로' } as Record<string, string>,
		outcomes: {
			opened: '열림',
			already_open: '열려 있었음',
			unseen: '열렸는지 모름',
			door_did_not_open: '안 열림',
			no_answer: '응답 없음',
			unreachable: '보드 끊김',
			refused: '보드가 거부',
			interrupted: '결과 모름'
		} as Record<string, string>,
		underWay: '진행 중',
		toOpenings: '개방 기록에서 보기',
		toRentals: '대여 기록에서 보기',
		notes: '메모',
		noNotes: '메모가 없습니다.',
		noteBy: (name: string, at: string): string => `${name} · ${at}`,
		gone: '탈퇴한 직원',
		moreNotes: '메모가 더 있습니다. 최근 20건만 보여 드립니다.'
	},
	opening: {
		title: '열기',
		askTitle: (number: string): string => `${number}번 칸을 엽니까?`,
		askText: (who: string): string =>
			`${who} 님의 칸입니다. 직원이 연 것으로 기록에 남습니다. 칸 앞에 사람이 있을 때 열어 주세요.`,
		askReturned: '반납한 칸이지만 물건이 남아 있을 수 있습니다. 직원이 연 것으로 기록에 남습니다.',
		askUnknown: '누가 쓰는 칸인지 확인하지 못했습니다. 직원이 연 것으로 기록에 남습니다.',
		close: '열기 결과 닫기'
	},
	picks: {
		begin: '여러 칸 고르기',
		stop: '고르기 끝내기',
		title: '여러 칸 고르기',
		count: (count: string): string => `${count}칸을 골랐습니다.`,
		hint: '칸을 누르면 고르고, 다시 누르면 뺍니다. Shift를 누른 채 누르면 그 사이의 칸을 모두, Ctrl을 누른 채 누르면 한 칸씩 고릅니다.',
		picked: '고름',
		pick: (number: string): string => `${number}번 칸 고르기`,
		pickShort: '고르기',
		kind: '한꺼번에 고를 칸',
		all: '모두 고르기',
		none: '먼저 칸을 골라 주세요.',
		tooMany: (most: string): string => `한 번에 ${most}칸까지 열 수 있습니다.`,
		open: (count: string): string => `${count}칸 열기`,
		left: (numbers: string): string => `다음 칸은 어떻게 되었는지 모르거나 하지 않았습니다: ${numbers}.`,
		progress: (over: string, total: string): string => `${total}칸 가운데 ${over}칸을 마쳤습니다.`,
		nothing: '고른 칸 가운데 바꿀 칸이 없습니다.',
		out: {
			button: '사용 중지',
			title: (count: string): string => `${count}칸을 사용 중지합니까?`,
			text: '아무도 새로 빌릴 수 없게 됩니다. 지금 빌린 학생의 대여는 그대로이며, 이유를 메일로 알리고 다른 칸으로 바꿀 수 있게 합니다.',
			others: (count: string): string => `고른 칸 가운데 ${count}칸은 지금 사용 중지 상태여서 그대로 둡니다.`,
			done: (count: string): string => `${count}칸을 사용 중지했습니다.`
		},
		back: {
			button: '다시 사용',
			title: (count: string): string => `${count}칸을 다시 사용합니까?`,
			text: '다시 빌릴 수 있게 됩니다.',
			others: (count: string): string => `고른 칸 가운데 ${count}칸은 지금 쓰고 있어 그대로 둡니다.`,
			done: (count: string): string => `${count}칸을 다시 사용합니다.`
		},
		end: {
			button: '대여 끝내기',
			title: '고른 칸의 대여를 끝냅니까?',
			looking: '누가 빌렸는지 확인하는 중입니다.',
			text: (count: string, opened: string | undefined): string =>
				`대여 ${count}건이 끝나고, 이유를 메일로 알립니다.${opened ? ` 그 가운데 ${opened}건은 연 적이 있는 칸이어서, 물건을 꺼낼 때까지 반납 확인 중으로 남습니다.` : ''}`,
			list: '끝낼 대여',
			held: '선택 중',
			done: (count: string): string => `대여 ${count}건을 끝냈습니다.`
		}
	},
	deeds: {
		end: {
			button: '대여 끝내기',
			title: (number: string): string => `${number}번 칸의 대여를 끝냅니까?`,
			opened: (who: string): string =>
				`${who} 님의 대여가 오늘 끝납니다. 물건을 꺼낼 수 있도록 칸은 한 번 더 열릴 때까지 반납 확인 중으로 남습니다. 이유를 메일로 알립니다.`,
			unopened: (who: string): string =>
				`${who} 님의 대여가 끝나고 칸은 바로 비워집니다. 아직 한 번도 열지 않았습니다. 이유를 메일로 알립니다.`,
			done: (number: string): string => `${number}번 칸의 대여를 끝냈습니다.`
		},
		letGo: {
			button: '잡은 것 놓아 주기',
			title: (number: string): string => `${number}번 칸을 놓아 줍니까?`,
			text: '잡아 둔 것을 놓아 줍니다. 다른 사람이 잡을 수 있게 됩니다. 이유를 메일로 알립니다.',
			done: (number: string): string => `${number}번 칸을 놓아 주었습니다.`
		},
		free: {
			button: '비운 것 확인',
			title: (number: string): string => `${number}번 칸이 비어 있습니까?`,
			text: '칸 안을 보고 비어 있을 때만 눌러 주세요. 다른 사람이 빌릴 수 있게 됩니다.',
			done: (number: string): string => `${number}번 칸을 비웠습니다.`
		},
		move: {
			button: '다른 칸으로 옮기기',
			title: (number: string): string => `${number}번 칸의 대여를 옮깁니다`,
			text: (who: string): string =>
				`${who} 님의 대여가 같은 기간으로 다른 칸에서 이어집니다. 연 적이 있는 칸은 비울 때까지 반납 확인 중으로 남습니다. 이유를 메일로 알립니다.`,
			to: '옮길 칸 번호',
			near: '가까운 빈 칸',
			nearNone: '이 사물함에는 빈 칸이 없습니다. 다른 사물함의 번호를 적어 주세요.',
			missing: '옮길 칸 번호를 적어 주세요.',
			done: (from: string, to: string): string => `${from}번 칸에서 ${to}번 칸으로 옮겼습니다.`
		},
		dates: {
			button: '마지막 날 바꾸기',
			title: (number: string): string => `${number}번 칸의 마지막 날을 바꿉니다`,
			text: '규칙의 한도와 상관없이 정할 수 있습니다. 연체 중이면 연체 처리도 벌칙 없이 끝납니다. 이유를 메일로 알립니다.',
			day: '새 마지막 날',
			hint: '예: 2026-12-18',
			missing: '날짜를 2026-12-18처럼 적어 주세요.',
			done: (until: string): string => `${until} 쓸 수 있게 바꾸었습니다.`
		},
		assign: {
			button: '회원에게 배정',
			title: (number: string): string => `${number}번 칸을 배정합니다`,
			text: '신청 기간과 상관없이 지금부터 대여합니다. 이유를 메일로 알립니다.',
			search: '학번이나 이름으로 찾기',
			searchHint: '두 글자부터 찾습니다.',
			found: '찾은 회원',
			none: '찾은 회원이 없습니다.',
			more: (total: string): string => `${total}명 가운데 8명을 보여 드립니다. 더 적어 주세요.`,
			has: (locker: string): string => `${locker}번 칸 대여 중`,
			missing: '먼저 회원을 골라 주세요.',
			days: '기간',
			term: (name: string, range: string): string => `${name} (${range})`,
			until: '마지막 날 직접 정하기',
			done: (number: string, who: string): string => `${who} 님에게 ${number}번 칸을 배정했습니다.`
		},
		out: {
			button: '사용 중지',
			title: (number: string): string => `${number}번 칸을 사용 중지합니까?`,
			text: '아무도 새로 빌릴 수 없게 됩니다.',
			rented: (who: string): string =>
				`${who} 님의 대여는 그대로이며, 이유를 메일로 알리고 다른 칸으로 바꿀 수 있게 합니다.`,
			done: (number: string): string => `${number}번 칸을 사용 중지했습니다.`
		},
		back: {
			button: '다시 사용',
			title: (number: string): string => `${number}번 칸을 다시 사용합니까?`,
			text: '다시 빌릴 수 있게 됩니다.',
			done: (number: string): string => `${number}번 칸을 다시 사용합니다.`
		},
		note: {
			button: '메모 쓰기',
			title: (number: string): string => `${number}번 칸에 메모를 씁니다`,
			text: '사물함을 맡은 직원 모두가 봅니다. 지울 수 없습니다.',
			label: '메모',
			verb: '메모 저장',
			done: '메모를 저장했습니다.'
		},
		key: {
			button: '기계 열쇠 사용',
			title: (number: string): string => `${number}번 칸을 기계 열쇠로 엽니까?`,
			text: '지금 열려 있는 문이나, 잠시 뒤 열릴 문을 경보로 보지 않습니다. 여기서 문이 열리지는 않습니다.',
			label: '메모',
			done: (length: string): string => `적어 두었습니다. ${length} 안에 여는 문은 경보가 되지 않습니다.`
		}
	}
};

export type Board = typeof board;
