/** Texts of the demo page. */

const ko = {
	title: '사물함 체험',
	intro:
		'lockerd가 이 컴퓨터 안에서 사물함 하나하나를 흉내 내고 있습니다. 빌리고, 열고, 고장 내 보세요. 끄면 모두 사라집니다.',
	parts: '이 화면의 부분',
	enter: {
		title: '들어가 보기',
		student: '학생으로 들어가기',
		staff: '직원으로 들어가기',
		admin: '관리자로 들어가기',
		kiosk: '키오스크 화면 보기',
		as: (name: string): string => `${name} 님`,
		password: '비밀번호',
		kioskText: '사물함 옆에 서 있는 터치 화면입니다.',
		kioskCode: '학번과 함께 쓸 숫자는 학생으로 들어가 내 정보의 인증 앱에서 만들거나, 직원 화면의 일회용 숫자로 받습니다.',
		tab: '이 화면을 새 탭에도 열어 두면 문을 만지면서 앱이 어떻게 바뀌는지 볼 수 있습니다.',
		another: '새 탭에 열기'
	},
	tries: {
		title: '이렇게 해 보세요',
		list: [
			'학생으로 들어가 101번 칸을 잡고 대여를 확정합니다.',
			'내 칸에서 열기를 누릅니다. 아래 문 목록에서 101번 문이 열립니다. 15초 뒤 저절로 닫힙니다.',
			'아래에서 101번 칸을 걸리게 한 다음 다시 열어 봅니다. 앱은 열리지 않았다고 말합니다.',
			'선 뽑기를 누르고 열어 봅니다. 보드가 응답하지 않는다고 나옵니다. 다시 꽂으면 돌아옵니다.',
			'아무도 열지 않은 문을 아래에서 당겨 엽니다. 강제 개방 경보가 생깁니다.',
			'학생회관 1층에서 날짜를 예약하고, 시계를 하루 앞으로 돌려 체크인합니다.'
		]
	},
	doors: {
		title: '문 만지기',
		text: '실제 문을 손으로 만지는 것과 같습니다. 서버는 보드가 알려 주는 것만 봅니다.',
		find: '칸 번호로 찾기',
		none: '그 번호로 시작하는 칸이 없습니다.',
		locker: (number: number): string => `${number}번 칸`,
		open: '열림',
		closed: '닫힘',
		jammed: '걸림',
		burnt: '코일이 탐',
		cut: '선이 뽑힘',
		pull: '당겨 열기',
		close: '닫기',
		jam: '걸리게 하기',
		unjam: '걸림 풀기',
		count: (open: number, all: number): string => `문 ${all}개, 열림 ${open}개`
	},
	buses: {
		title: '선 뽑기',
		text: '버스는 보드 여러 개가 달린 선입니다. 뽑으면 그 선의 문은 서버에서 보이지 않습니다.',
		in: '꽂혀 있음',
		out: '뽑혀 있음',
		unplug: '선 뽑기',
		replug: '다시 꽂기'
	},
	clock: {
		title: '시계',
		now: '사물함의 지금 시각',
		hour: '1시간 앞으로',
		day: '하루 앞으로',
		text: '뒤로는 돌릴 수 없습니다. 오래 돌리면 로그인이 끝나 다시 들어가야 할 수 있습니다.'
	},
	links: {
		title: '더 보기',
		mails: '편지함',
		mailsText: '보내는 대신 여기에 모인 메일',
		api: 'API 문서',
		apiText: 'Swagger에서 바로 불러 보기'
	},
	loading: '불러오는 중입니다.',
	failed: (why: string): string =>
		why ? `하지 못했습니다: ${why}` : '서버와 연결하지 못했습니다. 체험 서버가 켜져 있는지 확인해 주세요.',
	again: '다시 시도'
};

export type Words = typeof ko;

const en: Words = {
	title: 'Try the lockers',
	intro:
		'lockerd plays every locker inside this computer. Rent one, open it, break it. When you stop the demo, all of it is gone.',
	parts: 'Parts of this page',
	enter: {
		title: 'Walk in',
		student: 'Sign in as a student',
		staff: 'Sign in as staff',
		admin: 'Sign in as admin',
		kiosk: 'See the kiosk',
		as: (name) => name,
		password: 'Password',
		kioskText: 'The touch screen that stands beside the lockers.',
		kioskCode: 'The code beside the student id comes from an app, set up by the student under Me, or once from staff.',
		tab: 'Keep this page open in another tab: touch a door and see what the app says.',
		another: 'Open in a new tab'
	},
	tries: {
		title: 'Things to try',
		list: [
			'Sign in as a student, hold locker 101 and confirm the rental.',
			'Press Open in My locker. In the list below, door 101 opens. It falls shut after 15 seconds.',
			'Jam locker 101 below and open it again. The app says that the door did not open.',
			'Pull a cable and try to open. The board does not answer. Plug it in and it comes back.',
			'Pull open a door that nobody asked to open. A forced-open alarm is raised.',
			'Reserve days at the Student Union, turn the clock on by a day, and check in.'
		]
	},
	doors: {
		title: 'Touch the doors',
		text: 'Like a hand on the real door. The server sees only what the boards tell it.',
		find: 'Find a locker by number',
		none: 'No locker’s number begins like that.',
		locker: (number) => `Locker ${number}`,
		open: 'open',
		closed: 'closed',
		jammed: 'jammed',
		burnt: 'coil burnt',
		cut: 'cable pulled',
		pull: 'Pull open',
		close: 'Close',
		jam: 'Jam',
		unjam: 'Unjam',
		count: (open, all) => `${all} doors, ${open} open`
	},
	buses: {
		title: 'Pull the plug',
		text: 'A bus is a cable with several boards. Pull it and the server cannot see its doors.',
		in: 'plugged in',
		out: 'pulled out',
		unplug: 'Pull the cable',
		replug: 'Plug it in'
	},
	clock: {
		title: 'Clock',
		now: 'Time at the lockers',
		hour: 'An hour on',
		day: 'A day on',
		text: 'It cannot go back. After a long step you may have to sign in again.'
	},
	links: {
		title: 'More',
		mails: 'Mailbox',
		mailsText: 'Mails that are kept here instead of being sent',
		api: 'API document',
		apiText: 'Call it right there with Swagger'
	},
	loading: 'Loading.',
	failed: (why) =>
		why ? `That did not work: ${why}` : 'The server does not answer. Check that the demo is running.',
	again: 'Try again'
};

export const words = { ko, en };
