/** One text for each refusal of the server (docs/ref/problems.md): what happened, why, what to do now. */
import type { ProblemText } from './problems.data';

const outdated = '화면과 서버의 버전이 다른 것 같습니다. 화면을 다시 불러온 뒤 시도해 주세요.';
const gone = (what: string): string => `${what} 찾을 수 없습니다. 목록을 다시 열어 확인해 주세요.`;

const weak: Record<string, string> = {
	short: '비밀번호가 짧습니다. 학생은 10자, 직원은 15자, 인증 앱을 쓰는 계정은 8자 이상으로 정해 주세요.',
	long: '비밀번호가 너무 깁니다. 256자까지 쓸 수 있습니다.',
	common: '쉽게 짐작할 수 있는 비밀번호입니다. 서로 관계없는 낱말을 여러 개 이어 정해 주세요.'
};

const options: Record<string, string> = {
	extensions_max: '이 사물함은 연장할 수 없습니다. 마지막 날까지 반납해 주세요.',
	swaps: '이 사물함에서는 칸을 바꿀 수 없습니다. 필요하면 직원에게 문의해 주세요.',
	waiting_list: '이 사물함은 대기 신청을 받지 않습니다. 다른 사물함을 골라 주세요.',
	hold_extension: '이 사물함에서는 선택 시간을 늘릴 수 없습니다. 남은 시간 안에 확정해 주세요.'
};

export const problems = {
	bad_request: '서버가 요청을 읽지 못했습니다. 화면을 다시 불러온 뒤 시도해 주세요.',
	bad_json: outdated,
	invalid: (told) =>
		told.detail
			? `받을 수 없는 값이 있습니다. 고친 뒤 다시 시도해 주세요. 서버의 설명: ${told.detail}`
			: '받을 수 없는 값이 있습니다. 고친 뒤 다시 시도해 주세요.',
	unsupported_type: outdated,
	length_required: outdated,
	too_large: '보낸 내용이 너무 큽니다. 줄여서 다시 보내 주세요.',
	body_timeout: '보내는 데 너무 오래 걸려 서버가 받지 못했습니다. 네트워크를 확인하고 다시 시도해 주세요.',
	not_found: '찾는 것이 없습니다. 주소가 바뀌었거나 지워졌습니다. 앞 화면에서 다시 골라 주세요.',
	method_not_allowed: outdated,
	upgrade_required: outdated,
	foreign_origin: '이 주소에서는 할 수 없습니다. 안내받은 주소로 접속해 다시 시도해 주세요.',
	misdirected: '이 서버의 주소가 아닙니다. 안내받은 주소로 접속해 주세요.',

	unauthenticated: '로그인해야 볼 수 있습니다. 로그인해 주세요.',
	bad_credentials: '학번 또는 비밀번호가 맞지 않습니다. 대문자와 한/영 상태를 확인해 주세요.',
	session_ended: '로그인이 끝났습니다. 로그인하면 보던 화면으로 돌아갑니다.',
	refresh_superseded: '다른 창에서 로그인을 새로 고쳤습니다. 다시 시도해 주세요.',
	roster_login_off: '이곳에서는 이름과 전화번호로 로그인할 수 없습니다. 비밀번호로 로그인해 주세요.',
	password_needed: (told) =>
		told.number('bank_id') === undefined
			? '비밀번호 확인이 필요합니다. 비밀번호로 로그인한 뒤 다시 시도해 주세요.'
			: '이름과 전화번호로 로그인해 바로 열 수 없습니다. 사물함 옆 화면의 숫자를 입력하거나 비밀번호로 로그인해 주세요.',
	proof_needed: '본인 확인이 필요합니다. 비밀번호를 다시 입력한 뒤 시도해 주세요.',
	forbidden: '이 계정으로는 할 수 없습니다. 필요하면 직원에게 문의해 주세요.',
	second_factor_needed: '인증 앱의 숫자도 필요합니다. 숫자 6자리나 복구 코드를 입력해 주세요.',
	second_factor_missing: '이 계정은 인증 앱을 먼저 등록해야 합니다. 내 정보에서 인증 앱을 등록해 주세요.',
	code_wrong: '숫자가 맞지 않습니다. 가장 최근에 받은 숫자를 확인해 주세요.',
	code_expired: '시간이 지났거나 한 번 쓴 숫자입니다. 새 숫자를 받아 주세요.',
	password_weak: (told) => weak[told.text('reason') ?? ''] ?? '받을 수 없는 비밀번호입니다. 더 길게 정해 주세요.',
	consent_needed: '개인정보 처리 안내에 동의해야 합니다. 안내를 읽고 동의해 주세요.',
	registration_closed: '이곳에서는 직접 가입할 수 없습니다. 직원에게 계정을 요청해 주세요.',
	account_disabled: (told) => {
		const reason = told.text('reason');
		return `직원이 이 계정을 정지했습니다.${reason ? ` 사유: ${reason}.` : ''} 직원에게 문의해 주세요.`;
	},
	leaving: '명단에서 빠져 새로 빌리거나 예약할 수 없습니다. 빌린 칸은 열어서 비우고 반납할 수 있습니다.',
	too_many_attempts: (told) => {
		if (told.waitMs === undefined) return '여러 번 틀려 잠시 시도할 수 없습니다. 잠시 뒤에 다시 시도해 주세요.';
		return told.waitMs < 3_600_000
			? `여러 번 틀려 ${told.wait} 동안 시도할 수 없습니다.`
			: '너무 여러 번 틀려 잠겼습니다. 비밀번호를 새로 정하거나 직원에게 문의해 주세요.';
	},
	too_many_requests: (told) => `짧은 시간에 여러 번 요청했습니다. ${told.wait ?? '잠시'} 뒤에 다시 시도해 주세요.`,
	session_not_found: '그 로그인은 끝났습니다. 목록을 다시 불러와 확인해 주세요.',
	member_not_found: gone('그 회원을'),
	still_renting: (told) => {
		const locker = told.number('locker_id');
		return locker === undefined
			? '직원이 보관하고 있는 물건이 있습니다. 물건을 찾아간 뒤 다시 시도해 주세요.'
			: `${locker}번 칸 대여가 끝나지 않았습니다. 비우고 반납한 뒤 다시 시도해 주세요.`;
	},
	last_admin: '로그인할 수 있는 관리자가 한 명뿐입니다. 다른 관리자를 먼저 정해 주세요.',
	roster_shrinks: (told) => {
		const leavers = told.number('leavers');
		return leavers === undefined
			? '명단에서 많은 사람이 빠집니다. 미리 보기를 확인하고 인원수를 입력해 주세요.'
			: `명단에서 ${leavers}명이 빠집니다. 미리 보기를 확인하고 인원수를 입력해 주세요.`;
	},
	keys_rotating: (told) => `조금 전에 키를 바꿨습니다. ${told.wait ?? '30분'} 뒤에 다시 시도해 주세요.`,
	keys_elsewhere: '키를 systemd에서 관리합니다. 그곳에서 새 키를 넣고 서버를 다시 시작해 주세요.',
	totp_enrolled: '인증 앱이 등록되어 있습니다. 바꾸려면 내 정보의 인증 앱에서 다른 앱을 등록해 주세요.',
	totp_not_enrolled: '등록된 인증 앱이 없습니다. 내 정보의 인증 앱에서 등록해 주세요.',

	presence_needed: '사물함 앞에서만 열 수 있습니다. 사물함 옆 화면에 보이는 숫자 6자리를 입력해 주세요.',
	presence_wrong: (told) => {
		const left = told.number('tries_left');
		const more = left !== undefined && left <= 10 ? ` (${left}번 더 시도할 수 있습니다)` : '';
		return `숫자가 맞지 않거나 시간이 지났습니다. 화면의 새 숫자를 입력해 주세요.${more}`;
	},
	presence_used: (told) =>
		told.wait
			? `한 번 쓴 숫자입니다. ${told.wait} 뒤에 나오는 새 숫자를 써 주세요.`
			: '한 번 쓴 숫자입니다. 다음에 나오는 새 숫자를 써 주세요.',
	kiosk_unknown: '이 화면은 등록되지 않았습니다. 직원에게 알려 주세요.',
	kiosk_not_found: gone('그 키오스크를'),
	not_at_kiosk: '키오스크에서는 할 수 없습니다. 휴대전화나 컴퓨터에서 해 주세요.',
	mail_off: '이곳에서는 메일을 보내지 않아 할 수 없습니다. 직원에게 문의해 주세요.',
	mail_not_found: gone('그 메일을'),
	limit_not_found: '그 제한은 풀렸습니다. 목록을 다시 불러와 주세요.',
	audit_row_not_found: gone('그 기록을'),
	student_id_taken: '다른 계정이 쓰는 학번입니다. 학번을 확인하고, 맞으면 직원에게 문의해 주세요.',
	phone_taken: '다른 계정이 쓰는 전화번호입니다. 번호를 확인하고, 맞으면 직원에게 문의해 주세요.',
	email_taken: '다른 계정이 쓰는 이메일입니다. 다른 주소를 쓰거나 그 계정으로 로그인해 주세요.',

	locker_not_found: '그 번호의 칸이 없습니다. 번호를 확인해 주세요.',
	bank_not_found: '그 사물함이 없습니다. 사물함 목록에서 다시 골라 주세요.',
	location_not_found: '그 장소가 없습니다. 사물함 목록에서 다시 골라 주세요.',
	term_not_found: gone('그 신청 기간을'),
	name_taken: '같은 이름이 있습니다. 다른 이름을 써 주세요.',
	number_taken: '그 번호의 칸이 있거나 있었습니다. 번호는 다시 쓰지 않으니 다른 번호를 써 주세요.',
	channel_taken: '다른 칸이 연결된 잠금 장치입니다. 그 칸의 연결을 먼저 풀어 주세요.',
	still_in_use: '쓰고 있는 것이 남아 있어 바꿀 수 없습니다. 대여와 예약을 먼저 끝내 주세요.',
	term_granted: '이 신청 기간으로 빌린 사람이 있어 앞으로의 날짜만 바꿀 수 있습니다.',
	bank_closed: (told) => {
		const at = told.instant('opens_at');
		return at
			? `지금은 사물함 운영 시간이 아닙니다. ${at}부터 열 수 있습니다.`
			: '지금은 사물함 운영 시간이 아닙니다. 여는 날을 직원에게 문의해 주세요.';
	},
	board_not_found: gone('그 버스나 보드를'),
	opening_not_found: '그 개방 기록이 없습니다. 내 칸 화면에서 문 상태를 확인해 주세요.',
	mass_opening_not_found: gone('그 일괄 개방을'),
	scan_not_found: '그 검색 결과가 지워졌습니다. 다시 검색해 주세요.',
	proof_not_found: gone('그 보드 확인을'),
	proof_step: '보드 확인이 다른 단계를 기다립니다. 화면을 다시 불러와 지금 단계를 이어서 해 주세요.',
	board_rented: (told) => {
		const locker = told.number('locker_id');
		return locker === undefined
			? '이 보드에 대여 중인 칸이 있습니다. 사유를 적고 진행하거나 반납을 기다려 주세요.'
			: `이 보드의 ${locker}번 칸이 대여 중입니다. 사유를 적고 진행하거나 반납을 기다려 주세요.`;
	},
	board_silent: '보드가 응답하지 않습니다. 전원과 통신선, 주소를 확인해 주세요.',
	commissioning_busy: '이 버스에서 다른 작업을 하고 있습니다. 끝난 뒤 다시 시도해 주세요.',
	alarm_not_found: gone('그 경보를'),
	alarm_acknowledged: (told) => {
		const at = told.instant('acknowledged_at');
		return at ? `다른 직원이 ${at}에 확인한 경보입니다.` : '다른 직원이 먼저 확인한 경보입니다.';
	},
	operation_not_found: '그 요청은 처리되지 않았습니다. 다시 시도할 수 있습니다.',
	clock_untrusted: '서버 시계를 확인하는 중이라 할 수 없습니다. 빌린 칸은 열 수 있습니다. 직원에게 알려 주세요.',
	clock_differs: (told) => {
		const at = told.instant('server_time');
		return at
			? `서버 시계는 ${at}입니다. 시계를 맞춘 뒤 다시 확인해 주세요.`
			: '서버 시계가 입력한 시각과 다릅니다. 시계를 맞춘 뒤 다시 확인해 주세요.';
	},
	job_not_found: gone('그 작업을'),
	job_under_way: '그 작업을 하고 있습니다. 잠시 뒤에 결과를 확인해 주세요.',

	outside_window: (told) => {
		const window = told.inside('window');
		const [opens, closed] = [window.instant('opens_at'), window.instant('closes_at')];
		switch (window.text('state')) {
			case 'before':
				return opens ? `신청은 ${opens}에 시작합니다.` : '신청을 시작하지 않았습니다.';
			case 'after':
				return closed ? `신청은 ${closed}에 마감했습니다. 다음 신청을 기다려 주세요.` : '신청 기간이 아닙니다.';
			case 'none':
				return '예정된 신청 기간이 없습니다. 정해지면 사물함 화면에 보입니다.';
			default:
				return '신청 기간이 아닙니다.';
		}
	},
	out_of_service: (told) => {
		const other = told.number('offered_locker_id');
		return other === undefined
			? '사용 중지된 칸입니다. 다른 칸을 골라 주세요.'
			: `사용 중지된 칸입니다. 같은 날짜로 ${other}번 칸을 쓸 수 있습니다.`;
	},
	locker_taken: (told) => {
		const left = told.length('held_for_ms');
		return left
			? `다른 학생이 먼저 잡은 칸입니다. 확정하지 않으면 ${left} 안에 다시 열립니다. 다른 칸을 골라 주세요.`
			: '다른 학생이 먼저 잡은 칸입니다. 다른 칸을 골라 주세요.';
	},
	no_free_locker: '빈 칸이 없습니다. 대기 신청을 하면 칸이 비었을 때 알려 드립니다.',
	already_holding: (told) => {
		const locker = told.number('locker_id');
		return locker === undefined
			? '잡아 둔 칸이 있습니다. 그 칸을 확정하거나 선택을 취소해 주세요.'
			: `${locker}번 칸을 잡아 두었습니다. 그 칸을 확정하거나 선택을 취소해 주세요.`;
	},
	already_renting: (told) => {
		const locker = told.number('locker_id');
		return `한 사람은 한 칸만 빌릴 수 있습니다.${locker === undefined ? '' : ` 지금 빌린 칸: ${locker}번`}`;
	},
	hold_expired: '시간이 지나 칸을 놓아 주었습니다. 아직 비어 있으면 다시 잡을 수 있습니다.',
	wrong_mode: (told) => {
		const mode = told.text('mode');
		if (mode === 'pool') return '날짜를 예약하는 사물함입니다. 날짜를 골라 예약해 주세요.';
		if (mode === 'choose') return '칸을 골라 빌리는 사물함입니다. 배치도에서 칸을 골라 주세요.';
		return '이 사물함은 그렇게 빌릴 수 없습니다. 사물함 화면에서 다시 골라 주세요.';
	},
	dates_refused: (told) => {
		const [first, last, most] = [told.day('first_start_on'), told.day('last_start_on'), told.number('days_max')];
		const closed = told.day('closed_on');
		switch (told.text('reason')) {
			case 'too_early':
				return `시작할 수 없는 날짜입니다. ${first ?? '내일'}부터 예약할 수 있습니다.`;
			case 'too_far':
				return last ? `너무 먼 날짜입니다. ${last}까지 시작하는 예약을 받습니다.` : '너무 먼 날짜입니다. 더 가까운 날짜를 골라 주세요.';
			case 'too_long':
				return most ? `한 번에 ${most}일까지 예약할 수 있습니다. 날짜를 줄여 주세요.` : '너무 긴 기간입니다. 날짜를 줄여 주세요.';
			case 'closed':
				return `${closed ?? '그날은'} 휴관이라 예약을 시작하거나 끝낼 수 없습니다. 다른 날짜를 골라 주세요.`;
			default:
				return '예약할 수 없는 날짜입니다. 다른 날짜를 골라 주세요.';
		}
	},
	day_full: (told) => {
		const days = told.days('full_days');
		return days ? `예약이 마감된 날이 있습니다: ${days}. 날짜를 바꿔 주세요.` : '예약이 마감된 날이 있습니다. 날짜를 바꿔 주세요.';
	},
	already_reserved: (told) =>
		told.range
			? `${told.range} 예약이 있습니다. 그 예약을 취소하거나 다른 날짜를 골라 주세요.`
			: '겹치는 예약이 있습니다. 그 예약을 취소하거나 다른 날짜를 골라 주세요.',
	too_many_reservations: (told) => {
		const most = told.number('reservations_max');
		return most === undefined
			? '이 사물함의 예약을 더 할 수 없습니다. 다른 예약을 먼저 취소해 주세요.'
			: `이 사물함은 한 사람이 ${most}건까지 예약할 수 있습니다. 다른 예약을 먼저 취소해 주세요.`;
	},
	reservation_not_found: '그 예약은 끝났거나 취소되었습니다. 내 칸 화면에서 확인해 주세요.',
	checked_in: (told) => {
		const locker = told.number('locker_id');
		return locker === undefined
			? '사용을 시작한 예약입니다. 취소하는 대신 칸을 반납해 주세요.'
			: `${locker}번 칸 사용을 시작한 예약입니다. 취소하는 대신 칸을 반납해 주세요.`;
	},
	not_your_locker: '내가 빌린 칸이 아니거나 반납한 칸입니다. 내 칸 화면에서 확인해 주세요.',
	only_held: '잡아 두기만 한 칸입니다. 먼저 대여를 확정해 주세요.',
	option_off: (told) => options[told.text('option') ?? ''] ?? '이 사물함에서는 할 수 없습니다. 필요하면 직원에게 문의해 주세요.',
	hold_extended: '선택 시간은 한 번만 늘릴 수 있습니다. 남은 시간 안에 확정해 주세요.',
	extension_early: (told) => {
		const from = told.day('from');
		return from ? `연장은 ${from}부터 할 수 있습니다.` : '연장할 수 있는 때가 아닙니다. 마지막 날이 가까워지면 다시 시도해 주세요.';
	},
	extensions_used: '연장할 수 있는 횟수를 모두 썼습니다. 마지막 날까지 반납해 주세요.',
	last_day_over: '대여 마지막 날이 지났습니다. 물건을 꺼내고 반납해 주세요.',
	others_wait: '대기하는 학생이 있어 연장하거나 새로 잡을 수 없습니다. 대기 신청을 하거나, 빌린 칸은 마지막 날까지 반납해 주세요.',
	locker_free: '빈 칸이 있어 기다릴 필요가 없습니다. 칸을 골라 잡아 주세요.',
	already_waiting: '대기 신청한 사물함이 있습니다. 다른 곳을 기다리려면 그 대기를 먼저 취소해 주세요.',
	not_waiting: '대기 신청이 없거나 끝났습니다. 사물함 화면에서 확인해 주세요.',
	waiting_not_found: gone('그 대기 신청을'),
	occupied: (told) => {
		const other = told.number('offered_locker_id');
		return other === undefined
			? '앞사람이 비우지 않은 칸입니다. 다른 칸으로 바꾸거나 직원에게 알려 주세요.'
			: `앞사람이 비우지 않은 칸입니다. 같은 날짜로 ${other}번 칸을 쓸 수 있습니다.`;
	},
	no_shortage: '그대로 쓸 수 있는 칸이라 바꿔 드릴 수 없습니다.',
	not_returned: '반납되지 않은 칸입니다. 칸 상태를 다시 확인해 주세요.',
	return_by_door_off: '문을 닫는 것만으로 반납되지 않는 칸입니다. 비우고 문을 닫은 뒤 반납하기를 눌러 주세요.',
	penalty: (told) => {
		const until = told.day('until', 'ends_on');
		return until ? `늦은 반납으로 ${until}까지 신청할 수 없습니다.` : '늦은 반납으로 지금은 신청할 수 없습니다.';
	},
	penalty_not_found: gone('그 신청 제한을'),
	penalty_waived: '먼저 취소된 신청 제한입니다. 목록을 다시 불러와 주세요.',
	overdue: (told) => {
		const ended = told.day('ended_on');
		return ended
			? `지금은 열 수 없습니다: 연체로 제한되었습니다. 대여가 ${ended}에 끝났습니다. 직원에게 문의해 주세요.`
			: '지금은 열 수 없습니다: 연체로 제한되었습니다. 직원에게 문의해 주세요.';
	},
	overdue_case_not_found: gone('그 연체 건을'),
	overdue_step: '이 연체 건은 그 단계에 있지 않습니다. 화면을 다시 불러와 지금 단계를 확인해 주세요.',
	not_opened: '대여가 끝난 뒤 직원이 연 기록이 없습니다. 칸을 먼저 열거나 사유를 적어 주세요.',
	door_open: '문이 열려 있습니다. 문을 닫고 다시 시도해 주세요.',
	rental_not_found: gone('그 대여를'),
	rental_over: '끝났거나 반납한 대여입니다. 바꿀 것이 없습니다.',
	bulk_end_not_found: gone('그 일괄 종료를'),
	outside_dates: (told) => {
		const [start, until] = [told.day('starts_on'), told.day('check_in_until')];
		if (until !== undefined) {
			return told.isAhead('starts_on')
				? `예약 확인은 ${start}부터 할 수 있습니다.`
				: `${until}까지 확인하지 않아 쓸 수 없는 예약입니다. 다시 예약해 주세요.`;
		}
		if (told.isAhead('starts_on')) return `지금은 열 수 없습니다: 대여가 ${start}에 시작합니다.`;
		return told.range ? `지금은 열 수 없습니다: 대여 기간은 ${told.range}입니다.` : '지금은 열 수 없습니다: 대여 기간이 아닙니다.';
	},
	not_wired: '전자 잠금 장치가 없는 칸입니다. 직원에게 열쇠를 요청해 주세요.',
	lock_cooling: (told) => `방금 연 칸이라 잠금 장치를 쉬게 합니다. ${told.wait ?? '잠시'} 뒤에 다시 열 수 있습니다.`,
	opening_under_way: '이 칸을 여는 중입니다. 결과가 나올 때까지 문을 확인해 주세요.',
	mass_opening_under_way: '이 사물함에서 일괄 개방을 하고 있습니다. 끝나기를 기다리거나 중지해 주세요.',
	key_reused: '앞서 보낸 같은 요청을 서버가 처리했습니다. 화면을 다시 불러와 결과를 확인해 주세요.',
	overloaded: (told) => `접속이 많습니다. ${told.wait ?? '잠시'} 뒤에 다시 시도해 주세요.`,
	degraded: '서버에 문제가 있어 대여와 예약을 멈췄습니다. 빌린 칸은 열 수 있습니다.',
	storage_full: '서버의 저장 공간이 차서 바꿀 수 없습니다. 빌린 칸은 열 수 있습니다. 직원에게 알려 주세요.',
	internal: (told) => {
		const id = told.text('request_id');
		return `서버에 문제가 생겨 처리하지 못했습니다. 다시 시도하고, 계속되면 직원에게 알려 주세요.${id ? ` (번호 ${id})` : ''}`;
	}
} satisfies Record<string, ProblemText>;

export type Problems = Record<keyof typeof problems, ProblemText>;
