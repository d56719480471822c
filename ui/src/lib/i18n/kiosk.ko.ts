/** Texts of the kiosk: the touch screen beside the lockers. */
export const kiosk = {
	title: '사물함 키오스크',
	starting: '준비하는 중입니다.',
	leaving: '처음 화면으로 돌아갑니다.',

	home: {
		open: '칸 열기',
		reservations: '예약 확인',
		giveBack: '반납하기',
		help: '도움',
		hint: '칸을 열려면 칸 열기를 눌러 주세요.',
		actions: '할 일',
		codes: '휴대전화로 열 때 입력하는 숫자',
		codeHint: '휴대전화로 열 때 이 숫자를 입력하거나 QR 코드를 찍어 주세요.',
		codeHintNoQr: '휴대전화로 열 때 이 숫자를 입력해 주세요.',
		code: (where: string): string => `${where} 숫자`,
		qr: (where: string): string => `${where} QR 코드`,
		newIn: (seconds: string): string => `${seconds}초 뒤 새 숫자`,
		left: (seconds: string): string => `${seconds}초`,
		noCode: '새 숫자를 받는 중입니다.',
		free: (free: string, all: string): string => `빈 칸 ${free} / 전체 ${all}칸`,
		more: (page: string, all: string): string => `다른 사물함 (${page}/${all})`,
		lost: (phone: string): string => `서버와 연결이 끊겼습니다. ${phone} 번으로 문의해 주세요.`,
		lostNoPhone: '서버와 연결이 끊겼습니다. 직원에게 문의해 주세요.',
		lostReason: '연결이 끊겨 지금은 할 수 없습니다.'
	},

	look: {
		title: '화면 보기',
		language: { ko: '한국어', en: 'English' },
		large: '큰 글자',
		usual: '보통 글자',
		low: '낮은 화면',
		high: '높은 화면',
		dark: '어두운 화면',
		light: '밝은 화면'
	},

	keys: {
		pad: '숫자판',
		erase: '정정',
		next: '다음',
		confirm: '확인',
		cancel: '취소',
		back: '뒤로',
		end: '끝내기'
	},

	id: {
		title: '학번을 눌러 주세요',
		empty: '누른 숫자가 여기에 보입니다.',
		short: '학번을 3자 이상 눌러 주세요.'
	},

	code: {
		title: '인증 앱의 숫자를 눌러 주세요',
		hint: '인증 앱의 6자리 숫자, 또는 직원에게 받은 8자리 숫자입니다.',
		typed: (count: string): string => `${count}자리를 눌렀습니다.`,
		of: (id: string): string => `학번 ${id}`,
		short: '6자리를 모두 눌러 주세요.',
		wrong: (left: string | undefined): string =>
			`학번 또는 숫자가 맞지 않습니다.${left === undefined ? '' : ` (${left}번 더)`}`,
		waits: (seconds: string): string => `${seconds}초 뒤에 다시 할 수 있습니다.`,
		locked: (left: string): string => `여러 번 틀려 ${left} 동안 할 수 없습니다.`,
		lockedLong: '너무 여러 번 틀려 잠겼습니다. 직원에게 문의해 주세요.',
		unsent: '서버의 답을 받지 못했습니다. 새 숫자로 다시 눌러 주세요.',
		untrusted: '서버 시계를 확인하는 중이라 앱의 숫자를 쓸 수 없습니다. 직원에게 문의해 주세요.'
	},

	my: {
		title: '내 칸',
		none: '빌린 칸이 없습니다. 휴대전화에서 빌릴 수 있습니다.',
		open: (number: string): string => `${number}번 칸 열기`,
		giveBack: '반납하기',
		state: '반납 상태',
		other: (number: string): string => `다른 칸: ${number}번`,
		confirm: '대여 확정',
		held: '잡아 둔 칸입니다. 대여를 확정하면 열 수 있습니다.',
		until: (day: string): string => `${day}까지`,
		startsOn: (day: string): string => `${day}부터 쓸 수 있습니다.`,
		late: (days: string): string => `반납일이 ${days} 지났습니다. 물건을 꺼내고 반납해 주세요.`,
		sealed: '연체로 제한되어 직접 열 수 없습니다. 직원에게 문의해 주세요.',
		door: (state: string): string => `문: ${state}`,
		elsewhere: '이 키오스크 옆에 있는 칸이 아닙니다. 칸이 있는 곳의 키오스크나 휴대전화에서 열어 주세요.',
		reservations: '예약',
		noReservations: '예약이 없습니다.',
		checkIn: '체크인',
		from: (day: string): string => `${day}부터 체크인할 수 있습니다.`,
		failed: '내 칸을 불러오지 못했습니다.'
	},

	open: {
		title: (number: string): string => `${number}번 칸 열기`,
		done: '끝내기',
		help: '직원 부르기'
	},

	giveBack: {
		title: (number: string): string => `${number}번 칸 반납`,
		ask: '물건을 모두 꺼냈습니까?',
		yes: '모두 꺼냈습니다. 반납하기',
		no: '아니요, 칸 열기',
		notMine: '빌린 칸이 아니거나 반납이 끝났습니다.'
	},

	done: {
		closed: '문이 닫혔습니다. 이용해 주셔서 고맙습니다.',
		returned: '반납했습니다. 이용해 주셔서 고맙습니다.',
		left: '이용해 주셔서 고맙습니다.',
		doorOpen: '문이 열려 있으면 닫아 주세요.',
		title: '끝났습니다',
		home: (seconds: string): string => `${seconds}초 뒤 처음 화면으로 돌아갑니다.`
	},

	help: {
		title: '도움',
		phone: (phone: string): string => `전화 ${phone}`,
		noPhone: '가까운 직원에게 알려 주세요.',
		ask: '무엇이 필요한지 골라 주세요. 누르면 직원에게 알립니다.',
		reasons: { door_stuck: '문이 안 열립니다', things_left: '칸에 물건이 남았습니다', other: '기타' },
		told: '직원에게 알렸습니다.',
		toldAt: (time: string): string => `${time}에 알렸습니다. 급하면 전화해 주세요.`,
		failed: '직원에게 알리지 못했습니다. 전화해 주세요.',
		failedNoPhone: '직원에게 알리지 못했습니다. 가까운 직원에게 말해 주세요.'
	},

	idle: {
		title: '계속 사용하시겠습니까?',
		text: (seconds: string): string => `계속 사용하려면 눌러 주세요. ${seconds}초 뒤 처음 화면으로 돌아갑니다.`,
		left: (seconds: string): string => `${seconds}초 남음`,
		stay: '계속',
		end: '끝내기'
	},

	setup: {
		title: '키오스크 등록',
		intro: '직원 화면에서 받은 등록 코드 8자를 눌러 주세요. 코드는 15분 동안 한 번만 쓸 수 있습니다.',
		code: '등록 코드',
		pad: '글자판',
		pair: '등록하기',
		short: '등록 코드 8자를 모두 눌러 주세요.',
		wrong: '등록 코드가 맞지 않거나 시간이 지났습니다. 직원 화면에서 새 코드를 받아 주세요.',
		paired: (name: string): string => `등록되었습니다: ${name}`,
		again: '다른 코드로 다시 등록하기',
		screen: '화면 설정',
		diagonal: '화면 대각선 (mm)',
		diagonalHint: '화면이 보이는 부분의 한쪽 모서리에서 마주 보는 모서리까지 잰 길이입니다.',
		inches: (inches: string, mm: string): string => `${inches}인치 (${mm} mm)`,
		diagonalWrong: (min: string, max: string): string => `${min}에서 ${max} 사이의 길이를 입력해 주세요.`,
		unmeasured: '아직 입력하지 않았습니다. 글자 크기가 실제와 다를 수 있습니다.',
		ruler: '이 막대는 50 mm입니다. 자로 재어 확인해 주세요.',
		letters: (mm: string): string => `가장 작은 글자: ${mm} mm`,
		tight: '화면이 좁아 글자를 정해진 크기로 보여 드릴 수 없습니다. 브라우저를 전체 화면으로 바꿔 주세요.',
		first: '처음 화면의 모습',
		language: '언어',
		save: '저장하고 시작하기'
	}
};

export type Kiosk = typeof kiosk;
