/** Texts of the places, the map of a bank and the rush. */
export const bank = {
	places: {
		title: '사물함',
		none: '아직 사물함이 없습니다. 사물함이 생기면 여기에 보입니다.',
		onlyFree: '빈 칸 있는 곳만',
		onlyFreeNone: '지금 빈 칸이 있는 곳이 없습니다.',
		showAll: '모두 보기',
		free: (count: string): string => `빈 칸 ${count}`,
		ofAll: (count: string): string => `전체 ${count}칸`,
		full: '빈 칸 없음',
		pool: '날짜로 예약',
		choose: '칸을 골라 대여',
		unused: '쓸 수 있는 칸이 없습니다',
		maintenance: '점검 중',
		waiting: (count: string): string => `대기 ${count}명`,
		shortWindow: {
			before: (when: string): string => `${when} 신청 시작`,
			open: '신청 받는 중',
			openUntil: (when: string): string => `신청 받는 중 · ${when} 마감`,
			after: '신청 기간 아님',
			none: '신청 기간 미정',
			clock_untrusted: '서버 시계 확인 중'
		}
	},
	unknownBank: {
		title: '없는 사물함입니다',
		text: '주소가 바뀌었거나 사물함이 없어졌습니다.',
		back: '사물함 목록으로 가기'
	},
	toPlaces: '사물함 목록',
	logInFirst: '칸을 고르려면 로그인해 주세요.',
	window: {
		title: '신청 기간',
		before: (when: string): string => `신청은 ${when}에 시작합니다.`,
		countdown: (left: string): string => `시작까지 ${left}`,
		open: (when: string): string => `신청을 받고 있습니다. ${when}에 마감합니다.`,
		openEndless: '신청을 받고 있습니다.',
		after: (when: string): string => `신청 기간이 아닙니다. 지난 신청은 ${when}에 마감했습니다.`,
		afterUnknown: '신청 기간이 아닙니다.',
		next: '다음 신청 기간이 정해지면 여기에 보입니다.',
		none: '예정된 신청 기간이 없습니다. 정해지면 여기에 보입니다.',
		clock_untrusted: '서버 시계를 확인하는 중이라 신청을 받지 않습니다. 직원에게 알려 주세요.',
		dates: (range: string): string => `대여 기간 ${range}`,
		opened: '신청이 시작되었습니다.'
	},
	map: {
		label: (bank: string): string => `${bank} 배치도`,
		keys: '화살표로 옮기고, 숫자로 번호를 찾고, F로 다음 빈 칸에 가고, Enter로 고릅니다.',
		row: (row: number): string => `${row}행`,
		computed: '배치도 없음: 번호 순',
		empty: '이 사물함에는 아직 칸이 없습니다.',
		smaller: '작게 보기',
		larger: '크게 보기',
		fit: '화면에 맞춤',
		sizes: '배치도 크기',
		asMap: '배치도로 보기',
		asList: '목록으로 보기',
		unknown: '상태를 확인하는 중입니다.',
		stale: (ago: string): string => `${ago} 상태입니다.`,
		fixtures: { kiosk: '키오스크', pillar: '기둥', wall: '벽', gap: '' } as Record<string, string>
	},
	legend: '칸 표시',
	/** What a screen reader says, and what the sheet and the list show. */
	states: {
		free: '비어 있음',
		held: '선택 중',
		my_hold: '내가 선택',
		mine: '내 칸',
		taken: '사용 중',
		late: '연체',
		out_of_service: '사용 불가',
		unknown: '확인 중'
	},
	/** On the cell itself when it is large; as short as can be. */
	short: {
		held: '선택 중',
		my_hold: '내 선택',
		mine: '내 칸',
		taken: '사용 중',
		late: '연체',
		out_of_service: '불가'
	},
	cell: (number: string, row: number, col: number, state: string): string =>
		`${number}번 칸, ${row}행 ${col}열, ${state}`,
	position: (row: number, col: number): string => `${row}행 ${col}열`,
	levels: { top: '맨 위', eye: '눈높이', middle: '가운데', low: '맨 아래' } as Record<string, string>,
	size: (w: number, h: number): string =>
		w === 1 && h === 1 ? '보통 크기' : `가로 ${w} · 세로 ${h} 크기`,
	accessible: '휠체어로 쓸 수 있음',
	filter: {
		title: '찾기와 거르기',
		on: '거르는 중',
		free: '빈 칸만',
		level: '높이',
		size: '크기',
		any: '모두',
		accessible: '휠체어로 쓸 수 있는 칸만',
		number: '번호 찾기',
		find: '찾기',
		missing: (number: string): string => `${number}번 칸을 찾지 못했습니다.`,
		clear: '거르기 끄기'
	},
	count: {
		text: (free: string, all: string): string => `빈 칸 ${free} / 전체 ${all}`,
		read: '빈 칸 수 읽기',
		said: (free: string, all: string): string => `빈 칸은 ${free}칸, 전체는 ${all}칸입니다.`
	},
	list: {
		caption: (bank: string): string => `${bank} 칸 목록`,
		number: '번호',
		row: '행',
		col: '열',
		state: '상태',
		action: '고르기',
		choose: (number: string): string => `${number}번 칸 고르기`,
		none: '조건에 맞는 칸이 없습니다.'
	},
	sheet: {
		label: '고른 칸',
		hint: '배치도에서 칸을 고르면 여기에 보입니다.',
		chosen: '선택',
		hold: (number: string): string => `${number}번 칸 잡기`,
		why: {
			held: '다른 학생이 선택하고 있습니다. 확정하지 않으면 다시 열립니다.',
			taken: '다른 학생이 쓰고 있는 칸입니다.',
			out_of_service: '지금은 빌려주지 않는 칸입니다.'
		} as Record<string, string>,
		near: '가까운 빈 칸:',
		noNear: '가까운 빈 칸이 없습니다.',
		toHold: '확정하러 가기',
		toMine: '내 칸 보기',
		changed: (number: string, state: string): string => `${number}번 칸: ${state}`
	},
	any: '아무 칸이나 잡기',
	anyOf: '조건에 맞는 아무 칸이나 잡기',
	anyNone: '조건에 맞는 빈 칸이 없습니다. 조건을 바꿔 주세요.',
	missed: {
		lost: (number: string): string => `${number}번 칸을 다른 학생이 먼저 잡았습니다.`,
		near: (numbers: string): string => `가까운 빈 칸: ${numbers}`,
		has: (where: string): string => `한 사람은 한 칸만 빌릴 수 있습니다. 지금 빌린 칸: ${where}`,
		holds: (where: string): string => `한 번에 한 칸만 잡을 수 있습니다. 지금 잡은 칸: ${where}`,
		none: '빈 칸이 없습니다.',
		noneWait: '빈 칸이 없습니다. 대기 신청을 하면 칸이 비었을 때 알려 드립니다.',
		coming: '지금은 모두 선택 중입니다. 확정하지 않은 칸은 다시 열립니다.',
		line: '먼저 대기하는 학생이 있습니다. 대기 신청을 하면 차례가 왔을 때 알려 드립니다.'
	},
	penalty: (until: string, days: string): string =>
		`늦은 반납으로 ${until}까지 신청할 수 없습니다. (${days} 남음)`,
	line: {
		title: '대기',
		invite: '대기 신청을 하면 칸이 비었을 때 알려 드립니다.',
		count: (count: string): string => `지금 ${count}명이 기다리고 있습니다.`,
		join: '대기 신청',
		joined: (place: number): string => `대기 ${place}번째입니다. 칸이 비면 알려 드리고 잡아 둡니다.`,
		leave: '대기 취소',
		leaveTitle: '대기를 취소합니까?',
		leaveText: '취소하면 지금 차례를 잃습니다. 다시 신청하면 맨 뒤에서 기다립니다.',
		leaveOffer: '잡아 둔 칸도 다음 학생에게 넘어갑니다.',
		keep: '계속 기다리기',
		left: '대기를 취소했습니다.',
		offer: (time: string): string => `칸이 비었습니다. ${time}까지 확정해 주세요.`,
		confirm: '대여 확정',
		dates: (range: string): string => `대여 기간 ${range}`
	},
	hold: {
		title: '대여 확정',
		doneTitle: '대여 완료',
		expiredTitle: '시간이 지났습니다',
		nothingTitle: '잡아 둔 칸이 없습니다',
		nothing: '배치도에서 칸을 잡으면 여기서 확정합니다.',
		ok: (number: string, left: string): string => `${number}번 칸을 ${left} 동안 잡아 두었습니다.`,
		/** Short lengths are said in seconds. */
		seconds: (seconds: number): string => `${seconds}초`,
		left: '남은 시간',
		leftSaid: (seconds: number): string => `${seconds}초 남았습니다.`,
		number: (number: string): string => `${number}번`,
		dates: '대여 기간',
		place: '장소',
		rules: '알아 두기',
		ruleReturn: (day: string): string => `${day}까지 물건을 꺼내고 반납해 주세요.`,
		ruleOne: '한 사람은 한 칸만 빌릴 수 있습니다.',
		rulePresence: '사물함 앞에서 화면의 숫자 6자리를 입력해야 열립니다.',
		ruleAnywhere: '휴대전화로 열 수 있습니다. 열기 전에 사물함 앞에 서 주세요.',
		confirm: '대여 확정',
		release: '선택 취소',
		extendText: '시간이 더 필요하면 눌러 주세요.',
		extend: (more: string): string => `${more} 더`,
		extendUnknown: '시간 더 받기',
		extended: (left: string): string => `시간을 늘렸습니다. ${left} 남았습니다.`,
		noExtension: '이 사물함은 시간을 늘려 드리지 않습니다.',
		offer: (time: string): string => `칸이 비었습니다. ${time}까지 확정해 주세요.`,
		expired: (number: string): string =>
			`시간이 지나 ${number}번 칸을 놓아 주었습니다. 아직 비어 있으면 다시 잡을 수 있습니다.`,
		retake: (number: string): string => `${number}번 칸 다시 잡기`,
		toMap: '배치도로 돌아가기',
		doubt: '확정 결과를 확인하는 중입니다. 다시 누르지 않아도 됩니다.',
		unsure: '서버가 답하지 않아 확정 결과를 아직 모릅니다. 네트워크를 확인하고 결과를 다시 확인해 주세요.',
		check: '결과 확인',
		done: (where: string, until: string): string => `대여했습니다. ${where}, ${until} 쓸 수 있습니다.`,
		how: {
			anywhere: '사물함 앞에 서서 열기를 누르면 문이 열립니다.',
			presence: '사물함 옆 화면에 보이는 숫자 6자리를 입력하면 열립니다.'
		},
		open: '지금 열기'
	}
};

export type Bank = typeof bank;
