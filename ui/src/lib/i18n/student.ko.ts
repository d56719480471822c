/** Texts of the front page, one's own locker, opening and returning it. */
export const student = {
	home: {
		title: '홈',
		logInToRent: '로그인하면 칸을 빌리고 열 수 있습니다.',
		call: (phone: string): string => `직원에게 전화 ${phone}`
	},

	card: {
		title: '내 칸',
		none: '빌린 칸이 없습니다.',
		find: '빈 칸 찾기',
		daysLeft: (days: string): string => `${days} 남음`,
		lastDay: '오늘이 마지막 날입니다.',
		startsOn: (day: string): string => `${day}부터 쓸 수 있습니다.`,
		dates: '기간',
		left: '남은 날',
		door: '문',
		doors: { open: '열림', closed: '닫힘', unknown: '알 수 없음' } as Record<string, string>,
		doorUnknown: '문 상태를 볼 수 없습니다. 열기는 할 수 있습니다.',
		held: (number: string): string => `${number}번 칸을 잡아 두었습니다. 시간 안에 확정해 주세요.`,
		heldLeft: '남은 시간',
		confirm: '대여 확정',
		offer: (time: string): string => `칸이 비었습니다. ${time}까지 확정해 주세요.`,
		open: (number: string): string => `${number}번 칸 열기`,
		openShort: '열기',
		more: '내 칸 관리',
		returning: '반납한 칸',
		sealed: '연체로 제한되어 직접 열 수 없습니다. 직원에게 문의해 주세요.'
	},

	waits: {
		door: '문이 닫힌 것을 확인하면 반납이 끝납니다.',
		doorOpen: '문이 열려 있습니다. 닫으면 반납이 끝납니다.',
		grace: (left: string): string => `두고 온 물건이 있으면 ${left} 안에 다시 열 수 있습니다.`,
		confirmation: '문이 닫힌 것을 볼 수 없습니다. 칸을 비우고 문을 닫았으면 알려 주세요.',
		staff: '문이 닫힌 것을 볼 수 없어 직원이 확인한 뒤 반납을 마칩니다.',
		free: '반납했습니다. 이용해 주셔서 고맙습니다.'
	},

	warnings: {
		late: (days: string): string => `반납일이 ${days} 지났습니다. 물건을 꺼내고 반납해 주세요.`,
		lateSeal: (day: string): string => `${day}부터는 직접 열 수 없고 직원이 물건을 회수합니다.`,
		lateShut: (days: string): string =>
			`반납일이 ${days} 지나 직접 열 수 없습니다. 물건은 직원이 꺼내 드립니다.`,
		forced: (number: string, time: string): string => `${number}번 칸 문이 ${time}에 요청 없이 열렸습니다.`,
		unwatched: (number: string, time: string): string =>
			`${number}번 칸 문이 열려 있는 것을 ${time}에 보았습니다. 그 전에는 문을 볼 수 없었습니다.`,
		tell: '직접 연 것이 아니면 알려 주세요.',
		itWasMe: '제가 열었습니다',
		tellStaff: '직원에게 알리기',
		thanks: '알려 주셔서 고맙습니다. 직원에게 전했습니다.',
		leftOpen: (number: string): string => `${number}번 칸 문이 열려 있습니다. 문을 닫아 주세요.`,
		outOfService: (number: string): string =>
			`${number}번 칸이 고장으로 사용 중지되었습니다. 다른 칸으로 바꿀 수 있습니다.`,
		swap: '칸 바꾸기',
		penalty: (until: string, days: string): string =>
			`늦은 반납으로 ${until}까지 신청할 수 없습니다. (${days} 남음)`,
		giveBack: '반납하기'
	},

	window: {
		title: '신청 기간',
		before: (at: string): string => `신청은 ${at}에 시작합니다.`,
		countdown: (left: string): string => `시작까지 ${left}`,
		open: '신청을 받고 있습니다.',
		closes: (at: string): string => `${at}에 마감합니다.`,
		closed: '신청 기간이 아닙니다.',
		none: '예정된 신청 기간이 없습니다.',
		untrusted: '서버가 시각을 확인하는 중입니다. 확인되면 신청을 받습니다.',
		dates: (range: string): string => `빌리는 기간: ${range}`,
		apply: '신청하기',
		look: '칸 둘러보기',
		more: '사물함 모두 보기'
	},

	reservations: {
		title: '예약',
		next: '다음 예약',
		status: { reserved: '예약됨', using: '사용 중', overdue: '연체' } as Record<string, string>,
		short: '그날 남는 칸이 없습니다. 예약을 바꿔 주세요.',
		manage: '예약 관리',
		more: (count: string): string => `예약 ${count}건이 더 있습니다.`
	},

	places: {
		title: '사물함',
		free: (count: string): string => `빈 칸 ${count}`,
		full: '빈 칸 없음',
		of: (count: string): string => `전체 ${count}칸`,
		byDay: '날짜로 예약',
		none: '등록된 사물함이 없습니다.'
	},

	my: {
		title: '내 칸',
		empty: '빌린 칸이 없습니다. 빈 칸을 골라 빌릴 수 있습니다.',
		find: '빈 칸 찾기',
		other: '다른 칸',
		giveBack: '반납하기',
		swap: '칸 바꾸기',
		reopen: (number: string): string => `${number}번 칸 다시 열기`,
		toReturn: '반납 상태 보기'
	},

	extend: {
		title: '연장',
		offer: (from: string, to: string): string => `${from}에서 ${to}까지 연장합니다.`,
		left: (count: string): string => `연장은 ${count}번 남았습니다.`,
		button: '연장하기',
		done: (until: string): string => `${until} 연장했습니다.`,
		earlyFrom: (day: string): string => `${day}부터 연장할 수 있습니다.`,
		used: '연장을 모두 썼습니다.',
		othersWait: '대기하는 학생이 있어 연장할 수 없습니다.',
		not: (why: string): string => `지금은 연장할 수 없습니다. ${why}`
	},

	swap: {
		title: '칸 바꾸기',
		replaceTitle: '다른 칸으로 바꾸기',
		choose: '바꿀 칸을 골라 주세요.',
		replaceWhy: (number: string): string => `${number}번 칸을 쓸 수 없어 다른 칸으로 바꿉니다. 날짜는 그대로입니다.`,
		nearest: '가장 가까운 빈 칸으로 바꾸기',
		none: '이 사물함에 빈 칸이 없습니다.',
		map: '배치도에서 보기',
		free: '빈 칸',
		show: (count: string): string => `빈 칸 ${count}개 더 보기`,
		confirm: (from: string, to: string): string =>
			`${from}번 칸에서 ${to}번 칸으로 바꿉니다. 날짜는 그대로입니다. ${from}번 칸을 비우고 문을 닫아 주세요.`,
		button: (to: string): string => `${to}번 칸으로 바꾸기`,
		ask: '칸을 바꾸시겠습니까?',
		doubt: '바꾼 결과를 확인하는 중입니다. 다시 누르지 않아도 됩니다.',
		done: (from: string, to: string): string => `${from}번 칸에서 ${to}번 칸으로 바꾸었습니다.`,
		notMine: '바꿀 칸이 없습니다. 빌린 칸만 바꿀 수 있습니다.',
		toMy: '내 칸으로 가기'
	},

	history: {
		title: '기록',
		show: '기록 보기',
		more: '더 보기',
		empty: '기록이 없습니다.',
		openings: (count: string): string => `열기 ${count}번`,
		states: {
			reserved: '예약됨',
			held: '선택 중',
			active: '사용 중',
			returned: '반납 확인 중',
			ended: '끝남'
		} as Record<string, string>,
		reasons: {
			hold_expired: '시간이 지나 놓아 줌',
			hold_released: '선택 취소',
			returned: '반납함',
			ended_by_staff: '직원이 끝냄',
			replaced: '다른 칸으로 바꿈',
			cancelled: '예약 취소',
			no_show: '찾지 않은 예약',
			collected: '직원이 회수함'
		} as Record<string, string>,
		late: (locker: string, days: string): string => `${locker}: ${days} 연체`,
		lateNow: (locker: string): string => `${locker}: 연체`,
		penalty: (range: string): string => `신청 제한 ${range}`,
		waived: '(직원이 취소함)',
		reservation: '예약'
	},

	open: {
		title: (number: string): string => `${number}번 칸 열기`,
		steps: '열기 진행',
		button: (number: string): string => `${number}번 칸 열기`,
		again: '다시 열기',
		openAgain: '다시 열기',
		againIn: (seconds: string): string => `${seconds}초 뒤에 다시 열 수 있습니다.`,
		back: '내 칸으로',
		ready: '칸 앞에 서서 눌러 주세요.',
		cutOff: '연결이 끊겼습니다. 명령은 전달되었을 수 있습니다. 다시 누르지 말고 문을 확인해 주세요.',
		cutOffLate: '연결이 끊겼습니다. 지금 문 상태를 볼 수 없습니다. 다시 연결하는 중입니다.',
		finding: '요청이 전달되었는지 확인하는 중입니다. 다시 누르지 않아도 됩니다.',
		unsent: '요청이 서버에 전달되지 않은 것 같습니다. 문을 확인한 뒤 다시 눌러 주세요.',
		unknown: '이 열기의 기록을 찾을 수 없습니다.',
		notMine: (number: string): string => `${number}번 칸은 지금 빌린 칸이 아닙니다.`,
		noLocker: '어느 칸을 열지 알 수 없습니다.',
		notNow: (why: string): string => `지금은 열 수 없습니다: ${why}`,
		startsOn: (day: string): string => `대여가 ${day}에 시작합니다.`,
		returned: '빌린 칸이 아니거나 반납한 칸입니다.',
		restricted: '연체로 제한되었습니다.',
		/** How long stands at the button, which counts. */
		resting: '방금 연 칸이라 잠금 장치를 쉬게 합니다.',
		busy: '다른 사람이 이 칸을 여는 중입니다.',
		replace: '다른 칸으로 바꾸기',
		confirmFirst: '대여 확정하러 가기',
		callStaff: '직원 부르기',
		called: (time: string): string => `${time}에 직원에게 알렸습니다.`,
		calledMore: '직원이 확인하면 이 화면에 보여 드립니다. 급하면 전화해 주세요.',
		callSeen: '직원이 확인했습니다.',
		callAgain: '직원 다시 부르기',
		callFailed: '직원에게 알리지 못했습니다.',
		callPhone: (phone: string): string => `전화하기 ${phone}`,
		tellThem: (where: string, time: string): string => `이렇게 알려 주세요: ${where}, ${time}에 열기 실패`,
		noPhone: '가까운 직원에게 알려 주세요.',
		toReturn: '반납하기',
		help: '문이 안 열리면 문을 안쪽으로 살짝 밀어 주세요.'
	},

	steps: {
		requested: '열기를 요청했습니다.',
		sent: '잠금 장치에 명령을 보냈습니다.',
		acknowledged: '보드가 응답했습니다. 문을 확인하는 중입니다.',
		acknowledgedDone: '보드가 응답했습니다.',
		sentAgain: '문이 닫혀 있어 명령을 한 번 더 보냈습니다.',
		opened: (number: string): string => `${number}번 칸 문이 열렸습니다.`,
		openedMore: '물건을 넣거나 꺼낸 뒤 문을 닫아 주세요.',
		alreadyOpen: '명령을 보내기 전부터 문이 열려 있었습니다.',
		closed: '문이 닫혔습니다.',
		closedAfter: (length: string): string => `문이 닫혔습니다. (열려 있던 시간 ${length})`,
		closedUnwatched: '지금은 문이 닫혀 있습니다.',
		leftOpen: (minutes: string): string => `문이 ${minutes}째 열려 있습니다. 문을 닫아 주세요.`,
		unseen: '보드가 명령을 받았습니다. 이 사물함에는 문 감지기가 없어 열렸는지 볼 수 없습니다. 문을 당겨 확인해 주세요.',
		unseenSilent:
			'명령을 보냈습니다. 이 사물함에는 문 감지기가 없어 열렸는지 볼 수 없습니다. 문을 당겨 확인해 주세요.',
		sensorFaulty: '문 감지기가 고장이라 열렸는지 볼 수 없습니다. 문을 당겨 확인해 주세요.',
		didNotOpen: '문이 열리지 않았습니다. 문을 안쪽으로 살짝 누른 다음 다시 시도해 주세요.',
		didNotOpenTwice: '두 번 시도했지만 열리지 않았습니다. 물건이 끼었을 수 있습니다.',
		noAnswer: '보드의 응답이 없어 문이 열렸는지 알 수 없습니다. 문을 당겨 확인해 주세요.',
		unreachable: '보드가 응답하지 않습니다. 고장을 직원에게 알렸습니다.',
		refused: '보드가 열기를 거부했습니다. 잠시 뒤에 다시 시도해 주세요.',
		interrupted: '서버가 다시 시작되어 결과를 보지 못했습니다. 문을 당겨 확인해 주세요.',
		nextAsk: '열기를 요청하는 중입니다.',
		nextLook: '진행 상황을 확인하는 중입니다.',
		nextSend: '명령을 보내는 중입니다. 보통 1초 안에 보냅니다.',
		nextDoor: '문이 열리는지 보고 있습니다. 보통 3초 안에 알 수 있습니다.',
		nextDoorLater: '문이 열리는지 확인합니다. (보통 3초)',
		nextClose: '문을 닫으면 여기에 표시됩니다.',
		marks: { tick: '완료', ring: '진행 중', hollow: '다음', cross: '실패', question: '알 수 없음' }
	},

	code: {
		label: '숫자 6자리',
		hint: '사물함 옆 화면에 보이는 숫자 6자리를 입력해 주세요.',
		wrong: (left: string | undefined): string =>
			`숫자가 맞지 않거나 시간이 지났습니다. 화면의 새 숫자를 입력해 주세요.${left === undefined ? '' : ` (${left}번 더 시도할 수 있습니다)`}`,
		used: (seconds: string): string => `한 번 쓴 숫자입니다. ${seconds}초 뒤에 나오는 새 숫자를 써 주세요.`,
		usedNow: '한 번 쓴 숫자입니다. 화면에 새로 나온 숫자를 써 주세요.',
		incomplete: '숫자 6자리를 모두 입력해 주세요.',
		password: '비밀번호 없이 로그인했으므로 사물함 옆 화면의 숫자가 필요합니다.',
		qr: '휴대전화 카메라로 화면의 QR 코드를 읽어도 됩니다.'
	},

	landing: {
		title: '칸 열기',
		working: '내 칸을 찾는 중입니다.',
		noLocker: '이 사물함에 빌린 칸이 없습니다.',
		held: '먼저 대여를 확정해 주세요.',
		choose: '열 칸을 골라 주세요.'
	},

	giveBack: {
		title: (number: string): string => `${number}번 칸 반납`,
		nothingTitle: '칸 반납',
		noLocker: '어느 칸을 반납할지 알 수 없습니다.',
		check: '반납하기 전에 확인해 주세요.',
		emptied: '물건을 모두 꺼냈습니다',
		emptiedNeeded: '물건을 모두 꺼냈는지 확인하고 표시해 주세요.',
		dates: '빌린 기간',
		place: '위치',
		notYet: '대여가 아직 시작하지 않았습니다. 반납하면 대여가 취소됩니다.',
		early: '오늘 반납하면 남은 날은 쓸 수 없습니다.',
		late: (days: string): string => `반납일이 ${days} 지났습니다. 늦은 반납 뒤에는 한동안 신청할 수 없을 수 있습니다.`,
		doorOpen: '문이 열려 있습니다. 반납한 뒤 문을 닫아 주세요.',
		openFirst: '아직 물건이 있으면 먼저 열어 주세요.',
		button: '반납하기',
		cancel: '취소',
		doubt: '반납 결과를 확인하는 중입니다. 다시 누르지 않아도 됩니다.',
		done: '반납했습니다. 이용해 주셔서 고맙습니다.',
		finishing: '반납을 마치는 중입니다.',
		emptiedButton: '비웠습니다',
		reopen: '다시 열기',
		notMine: (number: string): string => `${number}번 칸은 지금 빌린 칸이 아닙니다.`,
		silent: '보드의 응답을 기다리는 중입니다. 문 상태를 볼 수 있으면 반납을 마칩니다.',
		watching: '문이 닫힌 것을 확인하는 중입니다.',
		penalty: (until: string): string => `늦은 반납으로 ${until}까지 신청할 수 없습니다.`,
		home: '홈으로',
		my: '내 칸으로'
	}
};

export type Student = typeof student;
