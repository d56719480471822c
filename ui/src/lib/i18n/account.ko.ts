/** Texts of log-in, sign-up, forgotten passwords and one's own account. */
export const account = {
	id: '학번 또는 이메일',
	studentId: '학번',
	name: '이름',
	phone: '전화번호',
	email: '이메일',
	password: '비밀번호',
	staffPhone: '직원 전화',
	hangulId: '한글이 입력되었습니다. 한/영 상태를 확인해 주세요.',
	hangulPassword: '비밀번호에 한글이 있습니다. 일부러 쓴 것이 아니면 한/영 상태를 확인해 주세요.',
	capsLock: 'Caps Lock이 켜져 있습니다.',
	waitLeft: (length: string): string => `${length} 뒤에 다시 시도할 수 있습니다.`,
	waitOver: '기다리는 시간이 끝났습니다. 다시 시도할 수 있습니다.',
	step: (step: number, of: number): string => `${of}단계 중 ${step}단계`,
	need: {
		id: '학번이나 이메일을 입력해 주세요.',
		studentId: '학번은 영문자와 숫자 3~20자로 입력해 주세요.',
		name: '이름을 입력해 주세요. 60자까지 쓸 수 있습니다.',
		phone: '전화번호는 숫자 8~15자리로 입력해 주세요.',
		email: '이메일 주소를 name@example.ac.kr 형식으로 입력해 주세요.',
		password: '비밀번호를 입력해 주세요.',
		current: '지금 비밀번호를 입력해 주세요.',
		length: (least: number): string => `비밀번호를 ${least}자 이상으로 정해 주세요.`,
		long: '비밀번호를 256자 이하로 정해 주세요.',
		mailCode: '메일로 받은 숫자 8자리를 입력해 주세요.',
		appCode: '인증 앱의 숫자 6자리를 입력해 주세요.',
		recovery: '복구 코드를 입력해 주세요.',
		consent: '개인정보 처리 안내를 읽고 동의해 주세요.'
	},

	logIn: {
		title: '로그인',
		forgot: '비밀번호를 잊었습니다',
		noAccount: '계정이 없습니까?',
		roster: '이름과 전화번호로 로그인',
		ended: '로그아웃했습니다. 다른 기기에서 로그인 또는 로그아웃했거나 오래 사용하지 않았기 때문입니다. 로그인하면 보던 화면으로 돌아갑니다.',
		endedWhy: '본인이 한 일이 아니면 비밀번호를 바꿔 주세요.',
		deleted: '계정을 삭제했습니다. 개인정보를 모두 지웠습니다.',
		passwordSet: '비밀번호를 바꾸고 모든 기기에서 로그아웃했습니다. 새 비밀번호로 로그인해 주세요.',
		locked: (length: string): string => `여러 번 틀려 ${length} 동안 로그인할 수 없습니다.`
	},
	roster: {
		title: '이름과 전화번호로 로그인',
		text: '학교 명단에 있는 학번, 이름, 전화번호를 입력해 주세요.',
		claim: '이렇게 로그인하면 칸을 빌릴 수 있지만, 문을 열 때는 사물함 옆 화면의 숫자가 필요합니다. 비밀번호와 로그인된 기기도 바꿀 수 없습니다.',
		unknown: '명단에서 찾지 못했습니다. 학번, 이름, 전화번호를 확인하거나 직원에게 문의해 주세요.',
		withPassword: '비밀번호로 로그인'
	},
	second: {
		title: '인증 앱 확인',
		text: '비밀번호를 확인했습니다. 인증 앱에 보이는 숫자를 입력해 주세요.',
		code: '숫자 6자리',
		recovery: '복구 코드',
		recoveryHint: '인증 앱을 등록할 때 받은 코드입니다. 코드 하나는 한 번만 쓸 수 있습니다.',
		useRecovery: '인증 앱을 쓸 수 없습니다: 복구 코드 입력',
		useApp: '인증 앱의 숫자 입력',
		wrong: '숫자가 맞지 않습니다. 휴대전화 시간이 자동으로 맞춰져 있는지 확인해 주세요.',
		wrongRecovery: '복구 코드가 맞지 않거나 한 번 쓴 코드입니다. 다른 코드를 입력해 주세요.',
		late: '시간이 지났습니다. 처음부터 다시 로그인해 주세요.',
		again: '처음부터 로그인'
	},

	rules: {
		title: '비밀번호 규칙',
		length: (least: number): string => `${least}자 이상, 256자 이하`,
		words: '서로 관계없는 낱말을 여러 개 이으면 좋습니다. 띄어쓰기와 한글도 쓸 수 있습니다.',
		not: '학번, 이름, 전화번호, 흔한 비밀번호는 쓸 수 없습니다.'
	},
	notice: {
		title: '개인정보 처리 안내',
		version: (version: string): string => `판: ${version}`,
		agree: '안내를 읽었고 동의합니다.'
	},
	code: {
		label: '메일로 받은 숫자 8자리',
		handed: '직원에게 받은 숫자 8자리',
		goodFor: (length: string): string => `숫자는 ${length} 동안 쓸 수 있습니다.`,
		resend: '숫자 다시 받기',
		sent: '새 숫자를 보냈습니다. 앞에 받은 숫자는 쓸 수 없습니다.'
	},

	signUp: {
		title: '가입하기',
		who: { title: '누구인지 알려 주세요', text: '칸을 빌릴 사람의 정보를 입력해 주세요.', roster: '학교 명단과 같게 입력해 주세요. 다르면 가입할 수 없습니다.', nameHint: '학생증에 있는 이름' },
		mail: {
			title: '메일 주소',
			text: '가입을 마칠 숫자와 대여 소식을 이 주소로 보냅니다.',
			language: '메일 언어',
			domain: (domains: string): string => `이곳에서는 ${domains} 주소만 쓸 수 있습니다.`
		},
		password: { title: '비밀번호와 동의', send: '숫자 받기' },
		code: {
			title: '메일 확인',
			text: (email: string): string => `${email} 주소로 보낸 숫자를 입력해 주세요.`,
			finish: '가입 마치기',
			lost: '답을 받지 못했습니다. 가입이 끝났을 수 있으니 로그인해 보고, 안 되면 다시 시도해 주세요.',
			missing: '메일이 오지 않습니까?',
			spam: '스팸함과 메일 주소를 확인해 주세요.',
			roster: '입력한 내용이 학교 명단과 다르면 메일을 보내지 않습니다. 직원에게 문의해 주세요.',
			known: '그 학번이나 주소로 만든 계정이 있으면 숫자 대신 안내 메일을 보냅니다.',
			change: '입력한 내용 고치기',
			expired: '숫자를 쓸 수 있는 시간이 지났거나 여러 번 틀렸습니다. 새 숫자를 받아 주세요.'
		},
		closed: {
			title: '직접 가입할 수 없습니다',
			text: '이곳에서는 직원이 계정을 만듭니다. 직원에게 계정을 요청해 주세요.'
		},
		haveAccount: '계정이 있으면 로그인해 주세요.'
	},

	forgot: {
		title: '비밀번호 찾기',
		text: '학번이나 이메일을 입력하면 등록된 주소로 숫자를 보냅니다.',
		send: '숫자 받기',
		noMail: '메일 주소를 등록하지 않았으면 직원에게 문의해 주세요.',
		newTitle: '새 비밀번호',
		sent: (id: string): string => `${id} 계정이 있고 메일 주소가 등록되어 있으면 숫자를 보냈습니다. 오지 않으면 스팸함을 확인해 주세요.`,
		handed: '직원에게 받은 숫자를 입력해 주세요.',
		first: '처음 정하는 비밀번호입니다. 개인정보 처리 안내에 동의해 주세요.',
		expired: '숫자를 쓸 수 있는 시간이 지났거나 여러 번 틀렸습니다.',
		restart: '숫자 다시 받기',
		newPassword: '새 비밀번호',
		set: '비밀번호 바꾸기',
		everywhere: '바꾸면 모든 기기에서 로그아웃합니다.',
		lost: '답을 받지 못했습니다. 비밀번호가 바뀌었을 수 있으니 새 비밀번호로 로그인해 보고, 안 되면 다시 시도해 주세요.'
	},

	me: {
		title: '내 정보',
		display: '화면과 언어',
		sessions: '로그인된 기기',
		totp: '인증 앱',
		password: '비밀번호',
		email: '이메일',
		penalty: '신청 제한',
		data: '내 정보 내려받기',
		remove: '계정 삭제',
		none: '없음',
		staff: '직원',
		admin: '관리자',
		noPassword: {
			title: '비밀번호 없이 로그인했습니다. 비밀번호와 이메일은 비밀번호로 로그인해야 바꿀 수 있습니다.',
			reset: '비밀번호를 잊었으면 새로 정해 주세요.',
			first: '정한 적이 없으면 같은 학번으로 가입해 주세요.',
			staff: '정한 적이 없으면 직원에게 문의해 주세요.'
		},
		security: '로그인과 보안',
		account: '계정'
	},
	display: {
		title: '화면과 언어',
		language: '화면 언어',
		mails: (language: string): string => `메일도 ${language}로 받기`,
		languageNames: { ko: '한국어', en: '영어' },
		mailsDone: (language: string): string => `앞으로 메일을 ${language}로 보냅니다.`,
		size: '글자 크기',
		sizes: { 90: '작게', 100: '보통', 112: '조금 크게', 125: '크게', 150: '가장 크게' },
		theme: '화면 색',
		themes: { system: '기기 설정에 따름', light: '밝게', dark: '어둡게' },
		here: '글자 크기와 화면 색은 이 기기에만 저장됩니다.'
	},
	sessions: {
		title: '로그인된 기기',
		this: '이 기기',
		unknown: '알 수 없는 기기',
		kiosk: (name: string): string => `키오스크 ${name}`,
		lastUsed: (ago: string): string => `마지막 사용 ${ago}`,
		since: (at: string): string => `로그인 ${at}`,
		address: (address: string): string => `주소 ${address}`,
		methods: { password: '비밀번호', roster: '이름과 전화번호', issued: '직원이 준 코드', kiosk: '키오스크' } as Record<string, string>,
		strong: '인증 앱 확인',
		end: '로그아웃',
		endTitle: '고른 기기에서 로그아웃합니까?',
		endText: (device: string): string => `${device}: 그 기기에서 바로 로그아웃합니다. 빌린 칸은 그대로입니다.`,
		ended: '로그아웃했습니다.',
		others: '다른 기기 모두 로그아웃',
		othersTitle: '다른 기기에서 모두 로그아웃합니까?',
		othersText: '이 기기만 남기고 모든 기기에서 바로 로그아웃합니다. 빌린 칸은 그대로입니다.',
		othersEnded: (count: number): string => `기기 ${count}대에서 로그아웃했습니다.`,
		alone: '다른 기기에서는 로그인하지 않았습니다.'
	},
	totp: {
		title: '인증 앱',
		on: '인증 앱을 쓰고 있습니다.',
		since: (at: string): string => `${at} 등록`,
		off: '인증 앱을 쓰지 않습니다.',
		why: '로그인할 때 비밀번호와 함께 휴대전화 앱의 숫자 6자리를 입력합니다. 비밀번호가 알려져도 다른 사람이 로그인할 수 없습니다.',
		kiosk: '키오스크에서도 이 숫자로 칸을 열 수 있습니다.',
		which: 'Google Authenticator, Microsoft Authenticator, 네이버 인증 앱처럼 시간으로 숫자를 만드는(TOTP) 앱이면 됩니다.',
		demanded: '이 계정은 인증 앱을 등록해야 다른 화면을 쓸 수 있습니다.',
		start: '인증 앱 등록하기',
		replace: '다른 앱으로 바꾸기',
		replaceText: '새 앱의 숫자를 확인할 때까지 지금 앱을 그대로 쓸 수 있습니다.',
		codesLeft: (count: number): string => `남은 복구 코드 ${count}개`,
		fewCodes: '복구 코드가 얼마 남지 않았습니다. 새로 받아 주세요.',
		newCodes: '복구 코드 새로 받기',
		newCodesTitle: '복구 코드를 새로 받습니까?',
		newCodesText: '앞에 받은 복구 코드는 모두 쓸 수 없게 됩니다.',
		remove: '인증 앱 끄기',
		removeTitle: '인증 앱을 끕니까?',
		removeText: '앞으로 비밀번호만으로 로그인합니다. 복구 코드도 쓸 수 없게 됩니다.',
		removed: '인증 앱을 껐습니다.',
		mayNotRemove: '이 계정은 인증 앱을 꼭 써야 해서 끌 수 없습니다. 다른 앱으로 바꿀 수 있습니다.',
		proof: {
			title: '본인 확인',
			text: '비밀번호나 인증 앱의 숫자로 한 번 더 확인합니다.',
			byPassword: '비밀번호를 한 번 더 확인합니다.',
			by: '확인 방법',
			password: '비밀번호',
			code: '인증 앱 숫자 또는 복구 코드',
			wrong: '비밀번호가 맞지 않습니다. 대문자와 한/영 상태를 확인해 주세요.',
			confirm: '확인'
		},
		app: {
			title: '앱에 등록하기',
			scan: '인증 앱에서 이 QR 코드를 찍어 주세요.',
			alt: '인증 앱 등록용 QR 코드',
			same: '같은 휴대전화라면',
			open: '인증 앱에서 열기',
			key: 'QR 코드를 찍을 수 없으면 이 키를 앱에 입력해 주세요.',
			keyLabel: '등록 키',
			keep: '이 키는 지금만 보여 드립니다. 다른 사람에게 알려 주지 말아 주세요.',
			next: '앱에 등록했습니다'
		},
		code: {
			title: '숫자 확인',
			text: '앱에 보이는 숫자 6자리를 입력해 주세요. 다른 기기의 로그인은 끝납니다.',
			confirm: '등록 마치기',
			lost: '답을 받지 못했습니다. 등록이 끝났을 수 있습니다. 인증 앱 화면에서 확인하고, 등록되었으면 복구 코드를 새로 받아 주세요.',
			late: '15분이 지나 등록을 마치지 못했습니다. 처음부터 다시 해 주세요.',
			restart: '처음부터 다시'
		},
		recovery: {
			title: '복구 코드',
			done: '인증 앱을 등록했습니다.',
			renewed: '새 복구 코드를 만들었습니다.',
			text: '휴대전화를 잃어버리면 이 코드로 로그인합니다. 코드 하나는 한 번만 쓸 수 있고, 지금만 보여 드립니다. 종이에 적거나 안전한 곳에 저장해 주세요.',
			list: '복구 코드 목록',
			download: '파일로 저장',
			saved: '저장했습니다',
			lost: '휴대전화와 복구 코드를 모두 잃어버리면 직원에게 문의해 주세요. 휴대전화를 바꾸면 내 정보의 인증 앱에서 다시 등록할 수 있습니다.'
		}
	},
	copy: { copy: '복사', copied: '복사했습니다.', select: '복사할 수 없어 글자를 선택했습니다. 길게 눌러 복사해 주세요.' },
	changeEmail: {
		title: '이메일 바꾸기',
		now: (email: string): string => `지금 주소: ${email}`,
		none: '등록된 이메일이 없습니다.',
		new: '새 이메일',
		send: '숫자 받기',
		codeTitle: '새 이메일 확인',
		codeText: (email: string): string => `${email} 주소로 보낸 숫자를 입력해 주세요.`,
		confirm: '이메일 바꾸기',
		lost: '답을 받지 못했습니다. 바뀌었을 수 있으니 내 정보에서 이메일을 확인해 주세요.',
		same: '지금 쓰는 주소입니다. 다른 주소를 입력해 주세요.',
		done: (email: string): string => `이메일을 ${email} 주소로 바꿨습니다. 앞의 주소에도 알렸습니다.`,
		expired: '숫자를 쓸 수 있는 시간이 지났거나 여러 번 틀렸습니다. 처음부터 다시 해 주세요.',
		known: '다른 계정이 쓰는 주소이면 숫자를 보내지 않습니다.'
	},
	changePassword: {
		title: '비밀번호 바꾸기',
		current: '지금 비밀번호',
		new: '새 비밀번호',
		set: '비밀번호 바꾸기',
		others: '바꾸면 다른 기기에서 로그아웃합니다. 이 기기는 그대로입니다.',
		done: '비밀번호를 바꾸고 다른 기기에서 로그아웃했습니다.',
		wrong: '지금 비밀번호가 맞지 않습니다. 대문자와 한/영 상태를 확인해 주세요.',
		same: '지금 비밀번호와 다르게 정해 주세요.',
		lost: '답을 받지 못했습니다. 비밀번호가 바뀌었을 수 있습니다. 다시 시도하고, 지금 비밀번호가 틀렸다고 나오면 새 비밀번호로 바뀐 것입니다.'
	},
	penalty: {
		title: '신청 제한',
		until: (day: string, left: string): string => `늦은 반납으로 ${day}까지 신청할 수 없습니다. (${left} 남음)`,
		free: '신청 제한이 없습니다. 지금 신청할 수 있습니다.',
		list: '지난 기록',
		row: (locker: string, late: string): string => `${locker}, ${late} 늦게 반납`,
		waived: (at: string): string => `직원이 ${at}에 취소했습니다.`,
		ask: '사정이 있으면 직원에게 문의해 주세요.'
	},
	data: {
		title: '내 정보 내려받기',
		text: '계정, 로그인, 대여와 예약, 개방, 연체, 보낸 메일의 기록을 파일(JSON) 하나로 받습니다. 비밀번호와 키는 들어 있지 않습니다.',
		download: '파일 내려받기',
		done: '파일을 만들었습니다. 내려받은 파일을 확인해 주세요.'
	},
	remove: {
		title: '계정 삭제',
		what: '계정을 삭제하면',
		blanked: '학번, 이름, 전화번호, 이메일, 비밀번호를 바로 지웁니다.',
		stays: '대여와 개방 기록은 이름 없이 남습니다.',
		waiting: '예약과 대기 신청은 취소됩니다.',
		never: '되돌릴 수 없습니다.',
		blocked: '지금은 삭제할 수 없습니다',
		renting: '빌리거나 잡아 둔 칸이 있습니다. 비우고 반납한 뒤 삭제할 수 있습니다.',
		penalty: (day: string): string => `신청 제한이 ${day}에 끝난 뒤 삭제할 수 있습니다.`,
		penaltyNow: '신청 제한이 끝난 뒤 삭제할 수 있습니다.',
		toMy: '내 칸 보기',
		fresh: '삭제하려면 10분 안에 로그인한 상태여야 합니다. 다시 로그인한 뒤 삭제해 주세요.',
		go: '계정 삭제',
		askTitle: '계정을 삭제합니까?',
		askText: '모든 개인정보를 바로 지우고 모든 기기에서 로그아웃합니다. 되돌릴 수 없습니다.',
		confirm: '삭제',
		lost: '답을 받지 못했습니다. 계정이 삭제되었을 수 있습니다. 다시 시도해 주세요.'
	}
};

export type Account = typeof account;
