/** Texts of reservations by days. */
import type { Reason } from '../dates/month';

/** `3월 12일`: always ends in 일, so that the words after it can be chosen. */
const date = (day: string): string => `${Number(day.slice(5, 7))}월 ${Number(day.slice(8))}일`;

/** `11일`, or with its month if that is another one than before. */
const dayAfter = (before: string, day: string): string =>
	before.slice(0, 7) === day.slice(0, 7) ? `${Number(day.slice(8))}일` : date(day);

export const dates = {
	where: (place: string, bank: string): string => `${place} ${bank}`,
	date,

	logIn: {
		title: '로그인하면 예약할 수 있습니다.',
		text: '날마다 남은 칸 수를 보고 날짜를 골라 예약합니다.'
	},
	notPool: '이 사물함은 날짜로 예약하지 않습니다.',

	calendar: {
		title: '날짜 고르기',
		month: (month: string): string => `${Number(month.slice(0, 4))}년 ${Number(month.slice(5))}월`,
		before: '이전 달',
		after: '다음 달',
		left: (count: number): string => `${count}칸`,
		free: '가능',
		full: '만석',
		closed: '휴관',
		mine: '내 예약',
		today: '오늘',
		parts: { from: '시작', to: '마지막', only: '하루' },
		/** What a screen reader says of a day. */
		name: (day: string, words: string[]): string => [day, ...words].join(', '),
		partNames: { from: '고른 시작일', to: '고른 마지막 날', only: '고른 하루', within: '고른 기간' },
		cannot: '고를 수 없음',
		closing: (why: string): string => `휴관: ${why}`,
		asOf: (ago: string): string => `${ago} 상태입니다.`,
		old: '남은 칸 수를 새로 받지 못했습니다.'
	},

	pick: {
		from: '시작일',
		to: '마지막 날',
		hint: (example: string): string => `달력에서 고르거나 ${example}처럼 입력해 주세요.`,
		first: '시작일을 골라 주세요.',
		last: '마지막 날을 골라 주세요. 하루만 쓰려면 같은 날을 다시 눌러 주세요.',
		chosen: (range: string, days: string): string => `${range}, ${days}`,
		clear: '다시 고르기',
		accessible: '앉아서 쓸 수 있는 높이의 칸을 원합니다.',
		accessibleHint: '칸을 정할 때 먼저 드립니다. 남은 칸이 없으면 다른 높이의 칸일 수 있습니다.',
		reserve: '예약하기',
		doubt: '예약되었는지 확인하는 중입니다. 다시 누르지 않아도 됩니다.',
		noFrom: '시작일을 입력해 주세요.',
		noTo: '마지막 날을 입력해 주세요.',
		notADay: (field: string, example: string): string => `${field}: ${example}처럼 있는 날짜를 입력해 주세요.`
	},

	rules: {
		title: '예약 규칙',
		starts: (first: string, last: string): string => `${first}부터 ${last}까지 시작하는 예약을 받습니다.`,
		most: (days: number): string => `한 번에 ${days}일까지 예약할 수 있습니다.`,
		checkInFirst: '시작일에 체크인해 주세요. 그날 체크인하지 않으면 예약이 취소됩니다.',
		checkInDays: (days: number): string =>
			`시작일부터 ${days}일 안에 체크인해 주세요. 그 뒤에는 예약이 취소됩니다.`,
		checkInAny: '마지막 날까지 체크인할 수 있습니다. 하지 않으면 예약이 취소됩니다.',
		presence: '체크인은 사물함 옆 화면에 보이는 숫자로 합니다.',
		number: '칸 번호는 체크인할 때 정해집니다.',
		cancel: '시작일 전에는 취소할 수 있습니다.',
		many: (count: number): string => `한 사람이 예약 ${count}건까지 할 수 있습니다.`
	},

	reason: (why: Reason): string => {
		switch (why.kind) {
			case 'early':
				return `${date(why.first)}부터 시작할 수 있습니다.`;
			case 'far':
				return `${date(why.last)}까지 시작하는 예약만 받습니다.`;
			case 'closed':
				return `${date(why.day)}은 휴관이라 시작일이나 마지막 날로 고를 수 없습니다.`;
			case 'full':
				return `${date(why.day)}은 만석입니다.`;
			case 'mine':
				return `${date(why.day)}에는 내 예약이나 대여가 있습니다.`;
			case 'long':
				return `한 번에 ${why.most}일까지라 ${date(why.last)}까지 예약할 수 있습니다.`;
			case 'most':
				return `한 번에 ${why.most}일까지 예약할 수 있습니다.`;
			case 'backwards':
				return '마지막 날이 시작일보다 빠릅니다. 날짜를 바꿔 주세요.';
			case 'unknown':
				return '이 날의 남은 칸 수를 아직 모릅니다. 잠시 뒤에 다시 골라 주세요.';
		}
	},
	/** Why a reservation from the chosen start ends on a day at the latest. */
	limit: (why: Reason, last: string): string => {
		switch (why.kind) {
			case 'full':
				return `${date(why.day)}이 만석이라 ${dayAfter(why.day, last)}까지 예약할 수 있습니다.`;
			case 'mine':
				return `${date(why.day)}에 내 예약이나 대여가 있어 ${dayAfter(why.day, last)}까지 예약할 수 있습니다.`;
			case 'long':
				return `한 번에 ${why.most}일까지라 ${date(last)}까지 예약할 수 있습니다.`;
			default:
				return `${date(last)}까지 예약할 수 있습니다.`;
		}
	},
	justFull: (day: string): string => `방금 ${date(day)}이 마감되었습니다. 날짜를 바꿔 주세요.`,

	cannot: {
		penalty: (until: string): string => `늦은 반납으로 ${until}까지 신청할 수 없습니다.`,
		tooMany: (count: number): string =>
			`이 사물함의 예약이 ${count}건 있어 더 예약할 수 없습니다. 먼저 있는 예약을 취소하거나 체크인해 주세요.`,
		clock: '서버 시계를 확인하는 중이라 예약할 수 없습니다. 직원에게 알려 주세요.'
	},

	done: {
		title: '예약했습니다.',
		text: (where: string, range: string): string => `${where}, ${range}`,
		checkInOn: (day: string): string => `${day}에 체크인해 주세요. 칸 번호는 그때 정해집니다.`,
		checkInUntil: (first: string, until: string): string =>
			`${first}부터 ${until}까지 체크인해 주세요. 칸 번호는 그때 정해집니다.`
	},

	mine: {
		title: '내 예약',
		here: '이 사물함의 내 예약',
		empty: '날짜로 빌리는 사물함에서 예약할 수 있습니다.',
		find: '사물함 찾기',
		status: { idle: '예약 없음', reserved: '예약됨', using: '사용 중', overdue: '연체' },
		locker: (number: number): string => `${number}번 칸`,
		accessible: '앉아서 쓸 수 있는 높이',
		checkInOn: (day: string): string => `체크인: ${day}`,
		checkInUntil: (first: string, until: string): string => `체크인: ${first}부터 ${until}까지`,
		toLocker: '내 칸으로 가기',
		late: (day: string): string => `반납일: ${day}. 물건을 꺼내고 반납해 주세요.`,
		checkIn: '체크인',
		cancel: '예약 취소',
		short: '이 날짜에 쓸 칸이 모자랄 것 같습니다. 고장이거나 아직 비우지 않은 칸이 있습니다.',
		shortOffered: (where: string): string => `같은 날짜에 자리가 있는 곳: ${where}. 옮기면 날짜는 그대로입니다.`,
		shortWait: '칸이 다시 생기면 예약대로 드립니다. 시작일에 체크인하면 먼저 예약한 순서대로 드립니다.',
		replace: (where: string): string => `예약 옮기기: ${where}`,
		replaceTitle: '예약을 옮기시겠습니까?',
		replaceText: (from: string, to: string, range: string): string =>
			`${range} 예약을 옮깁니다. 지금 사물함: ${from}. 옮길 사물함: ${to}. 지금 예약은 끝납니다.`,
		replaceYes: '옮기기',
		replaced: '예약을 옮겼습니다.',
		doubt: '결과를 확인하는 중입니다. 다시 누르지 않아도 됩니다.'
	},

	checkIn: {
		title: '체크인',
		code: '화면의 숫자 6자리',
		ask: '사물함 옆 화면에 보이는 숫자 6자리를 입력해 주세요.',
		send: '체크인',
		notCode: '숫자 6자리를 입력해 주세요.',
		done: '체크인했습니다.',
		open: '내 칸에서 열기',
		until: (day: string): string => `${day} 쓸 수 있습니다.`,
		noneFree: '지금은 드릴 칸이 없습니다. 먼저 예약한 사람의 칸이거나 아직 비우지 않은 칸입니다.',
		noneFreeWait: '칸이 비면 체크인할 수 있습니다. 예약은 그대로 있습니다. 급하면 직원에게 알려 주세요.',
	},

	cancel: {
		title: '예약을 취소하시겠습니까?',
		text: (where: string, range: string): string => `${where}, ${range} 예약을 취소합니다.`,
		meaning: '취소한 날짜는 다른 학생이 예약할 수 있습니다. 다시 예약하려면 그때 남은 칸이 있어야 합니다.',
		yes: '예약 취소하기',
		no: '그대로 두기',
		done: '예약을 취소했습니다.'
	}
};

export type Dates = typeof dates;
