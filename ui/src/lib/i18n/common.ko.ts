/** Texts that every page uses. */
export const common = {
	product: '사물함',
	skip: '본문으로 건너뛰기',
	back: '뒤로',
	again: '다시 시도',
	cancel: '취소',
	close: '닫기',
	next: '다음',
	save: '저장',
	show: '보기',
	hide: '숨기기',
	optional: '(선택)',
	error: '오류',
	mend: (count: number): string => `고쳐야 할 곳이 ${count}군데 있습니다.`,
	slow: '응답이 늦어지고 있습니다. 잠시 기다려 주세요.',
	unreachable: '서버와 연결하지 못했습니다. 네트워크를 확인하고 다시 시도해 주세요.',
	unknownProblem: (detail: string, code: string): string =>
		detail ? `${detail} (${code})` : `서버에 문제가 있습니다. 잠시 뒤에 다시 시도해 주세요. (${code})`,
	live: '실시간',
	connecting: '연결 중',
	stale: '연결이 끊겼습니다. 다시 연결하는 중입니다.',
	staleAge: (seconds: number): string => `${seconds}초 전 상태를 보여 드립니다.`,
	staleReason: '연결이 끊겨 지금은 할 수 없습니다.',
	degraded: '서버에 문제가 있어 대여와 예약을 멈췄습니다. 빌린 칸은 열 수 있습니다.',
	overloaded: (seconds: number): string => `접속이 많습니다. ${seconds}초 뒤에 자동으로 다시 시도합니다.`,
	asOf: (ago: string): string => `${ago} 상태`,
	languages: { ko: '한국어', en: 'English' },
	nav: { label: '주 메뉴', home: '홈', places: '사물함', my: '내 칸', me: '내 정보' },
	staffPages: '직원 화면',
	logIn: '로그인',
	logOut: '로그아웃',
	signUp: '가입하기',
	locker: (number: string | number): string => `${number}번 칸`,
	place: (location: string, locker: string): string => `${location} ${locker}`,
	lockers: (count: string): string => `${count}칸`,
	notFound: {
		title: '없는 화면입니다',
		text: '주소가 바뀌었거나 잘못 입력되었습니다.',
		home: '홈으로 가기'
	},
	broken: {
		title: '화면에 문제가 생겼습니다',
		text: '화면을 다시 불러오면 대부분 해결됩니다. 진행하던 일은 서버에 남아 있습니다.',
		reload: '다시 불러오기'
	}
};

export type Common = typeof common;
