/** Texts of staff's page of figures. */
export const figures = {
	title: '통계',
	range: '기간',
	ranges: { today: '오늘', week: '7일', month: '30일', term: '이번 학기', own: '날짜 정하기' } as Record<string, string>,
	from: '첫날',
	to: '마지막 날',
	wrong: {
		missing: '첫날과 마지막 날을 정해 주세요.',
		order: '마지막 날이 첫날보다 빠릅니다.',
		future: '첫날은 오늘까지 고를 수 있습니다.',
		long: '한 번에 400일까지 볼 수 있습니다.'
	} as Record<string, string>,
	shown: (range: string): string => `${range}의 기록입니다.`,
	asTable: '표로 보기',
	behind: '목록 보기',
	print: '인쇄하기',
	noData: '이 기간에는 기록이 없습니다.',
	percent: (share: string): string => `${share}%`,
	day: '날짜',
	bank: '사물함',
	all: '모두',

	occupancy: {
		title: '칸을 얼마나 쓰고 있습니까?',
		large: '지금 쓰고 있는 비율',
		largeThen: (day: string): string => `${day}에 쓰고 있던 비율`,
		of: (used: string, all: string): string => `${all}칸 가운데 ${used}칸`,
		ofWhich: (late: string): string => `그 가운데 연체 ${late}칸`,
		sentence: (name: string, first: string, last: string, most: string): string =>
			`${name}: 처음 ${first}, 가장 많을 때 ${most}, 마지막 ${last} 사용.`,
		gap: '쓸 수 있는 칸이 없던 날은 비워 둡니다.',
		columns: ['날짜', '쓸 수 있는 칸', '대여 중', '연체', '빈 칸'],
		behind: '대여 목록 보기'
	},

	rush: {
		title: '신청이 시작되고 한 시간 동안 얼마나 몰렸습니까?',
		term: '학기',
		none: '시작된 신청 기간이 없습니다.',
		large: '첫 한 시간의 확정',
		held: (count: string): string => `칸을 잡은 횟수 ${count}회`,
		first: (length: string): string => `첫 확정까지 ${length}`,
		median: (length: string): string => `잡고 확정하기까지 가운데값 ${length}`,
		sentence: (total: string, minute: string, most: string): string =>
			`첫 한 시간의 확정 ${total}건. 가장 많은 때는 시작 뒤 ${minute}분째, ${most}건.`,
		nothing: '첫 한 시간에 확정된 신청이 없습니다.',
		minute: (minute: number): string => `${minute}분`,
		columns: ['시작 뒤', '잡음', '확정'],
		behind: '이 학기의 대여 보기'
	},

	openings: {
		title: '언제 문을 엽니까?',
		large: '개방 시도',
		sentence: (most: string, day: string, hour: string): string => `가장 많은 때는 ${day}요일 ${hour}시, ${most}회.`,
		caption: '요일과 시간별 개방 횟수',
		weekdays: { mon: '월', tue: '화', wed: '수', thu: '목', fri: '금', sat: '토', sun: '일' } as Record<string, string>,
		weekday: '요일',
		hour: (hour: number): string => `${hour}`,
		hourLong: (hour: number): string => `${hour}시`,
		behind: '개방 기록 보기'
	},

	outcomes: {
		behind: '정비할 자물쇠 보기',
		title: '문이 열린 것을 보았습니까?',
		large: '눈으로 확인한 비율',
		of: (seen: string, all: string): string => `결과가 나온 ${all}회 가운데 ${seen}회는 감지기가 열린 문을 보았습니다.`,
		columns: ['결과', '횟수', '비율'],
		sentence: (list: string): string => `결과별 횟수: ${list}`
	},

	overdue: {
		title: '제때 반납합니까?',
		large: '늦게 반납한 비율',
		of: (late: string, ended: string): string => `끝난 대여 ${ended}건 가운데 ${late}건을 늦게 반납했습니다.`,
		nothing: '이 기간에 끝난 대여가 없습니다.',
		now: (count: string): string => `지금 연체 중 ${count}건`,
		columns: ['사물함', '끝난 대여', '늦은 반납', '비율', '지금 연체'],
		sentence: (list: string): string => `사물함별 늦은 비율: ${list}`,
		behind: '연체 목록 보기'
	},

	waits: {
		title: '누가 가장 오래 기다렸습니까?',
		large: '가장 긴 대기',
		none: '이 기간에 기다린 사람이 없습니다.',
		waiting: '칸을 기다린 사람',
		waitingColumns: ['기다린 시간', '시작', '끝', '회원', '사물함'],
		collecting: '회수를 기다린 물건',
		collectingColumns: ['기다린 시간', '칸', '확인', '단계', '사물함'],
		noneCollecting: '이 기간에 확인된 연체가 없습니다.',
		still: '기다리는 중',
		member: (id: number): string => `회원 ${id}`,
		behind: '대기 목록 보기'
	}
};

export type Figures = typeof figures;
