/** Texts of the frame of staff's pages and of what they share. */
export const staff = {
	title: '직원 화면',
	rail: '직원 메뉴',
	student: '학생 화면으로',
	menu: '메뉴',
	groups: { now: '지금', lending: '대여', site: '사물함 관리', system: '시스템' },
	places: {
		board: '현황',
		alarms: '경보',
		openings: '개방 기록',
		mass: '일괄 개방',
		rentals: '대여',
		overdue: '연체',
		members: '회원',
		stats: '통계',
		terms: '학기와 신청 기간',
		places: '장소와 사물함',
		kiosks: '키오스크',
		service: '정비할 자물쇠',
		health: '상태와 작업',
		mails: '메일',
		bus: '보드와 배선',
		audit: '감사 기록'
	},
	adminOnly: '관리자만 바꿀 수 있습니다.',
	alarmsOpen: (count: number): string => `확인하지 않은 경보 ${count}건`,
	notAllowed: {
		title: '직원만 볼 수 있는 화면입니다',
		text: '이 계정에는 직원 권한이 없습니다. 직원 계정으로 로그인하거나 관리자에게 권한을 요청해 주세요.',
		home: '학생 화면으로 가기'
	},
	notFound: '찾는 것이 없습니다. 주소가 바뀌었거나 지워졌습니다.',
	list: {
		count: (shown: string, total: string | undefined): string =>
			total === undefined ? `${shown}건을 보고 있습니다.` : `${total}건 가운데 ${shown}건을 보고 있습니다.`,
		more: (rows: number): string => `다음 ${rows}건 보기`,
		export: 'CSV 내려받기',
		filter: '거르기',
		clear: '조건 지우기',
		bank: '사물함',
		allBanks: '모든 사물함',
		all: '모두',
		noMatch: '조건에 맞는 것이 없습니다.'
	},
	ask: {
		reason: '이유',
		reasonMissing: '이유를 적어 주세요. 감사 기록에 남습니다.'
	},
	prove: {
		title: '본인인지 확인합니다',
		text: '한꺼번에 열거나 보드에 직접 명령을 보내는 일에는 본인 확인이 필요합니다. 한 번 확인하면 10분 동안 다시 묻지 않습니다.',
		code: '인증 앱의 숫자 6자리 또는 복구 코드',
		codeMissing: '인증 앱의 숫자를 입력해 주세요.',
		byCode: '인증 앱으로 확인',
		byPassword: '비밀번호로 확인',
		go: '확인하고 계속'
	},
	lock: {
		title: '화면을 잠갔습니다',
		text: (minutes: string): string =>
			`${minutes} 동안 사용하지 않아 내용을 가렸습니다. 하던 일은 그대로 있습니다.`,
		who: (name: string): string => `${name} 님으로 로그인되어 있습니다.`,
		password: '비밀번호',
		missing: '비밀번호를 입력해 주세요.',
		wrong: '비밀번호가 맞지 않습니다. 대문자와 한/영 상태를 확인해 주세요.',
		unlock: '잠금 풀기',
		leave: '로그아웃'
	}
};

export type Staff = typeof staff;
