/** Texts of ports, boards and commissioning. */
import type { ChannelState, Trouble, Verdict, VerdictName } from '../staff/wiring/proof';
import type { AddressBy, Board, FamilyKey, Port } from '../staff/wiring/ports';

interface Seen {
	said: string;
	/** What to do about it. */
	next?: string;
}

const verdicts: Record<VerdictName, (it: Verdict) => Seen> = {
	sensor_moved: ({ sensor }) => ({ said: `${sensor}번 입력이 바뀌었습니다.` }),
	no_sensor_moved: () => ({
		said: '바뀐 입력이 없습니다.',
		next: '문이 열렸으면 번호를 입력하고 감지기와 선을 확인해 주세요. 열린 문이 없으면 「열린 문 없음」을 눌러 주세요.'
	}),
	no_inputs: () => ({ said: '이 보드에는 읽을 수 있는 입력이 없습니다.', next: '문을 직접 보고 번호를 입력해 주세요.' }),
	several_moved: ({ sensors = [] }) => ({
		said: `여러 입력이 한꺼번에 바뀌었습니다: ${sensors.join(', ')}번`,
		next: '모든 문을 닫고 손을 뗀 다음 다시 해 주세요. 그래도 같으면 코일이나 감지기의 선이 서로 붙어 있습니다.'
	}),
	sensor_taken: ({ sensor, lock }) => ({
		said: `${sensor}번 입력이 바뀌었는데, 이 입력은 ${lock}번 채널의 것입니다.`,
		next: '모든 문을 닫고 다시 해 주세요. 그래도 같으면 감지기 두 개가 한 입력에 물려 있거나 다른 문이 헐겁습니다.'
	}),
	pulse_failed: ({ why = '' }) => ({
		said: `열지 못했습니다. (${why})`,
		next: '보드와 선을 확인하고 다시 해 주세요.'
	}),
	opened: ({ number }) => ({ said: `${number}번 칸이 열렸습니다.` }),
	other_door: ({ number, expected }) => ({
		said: `${number}번 칸이 열렸습니다. 지금 설정에는 ${expected}번 칸으로 되어 있습니다.`,
		next: '적용하면 설정이 배선을 따라 고쳐집니다. 설정대로 두려면 코일 선을 바꿔 꽂아 주세요.'
	}),
	nothing_moved: () => ({
		said: '문도 입력도 움직이지 않았습니다.',
		next: '코일 선과 전원을 확인하고 다시 해 주세요. 자물쇠가 없는 채널이면 건너뛰어 주세요.'
	}),
	sensor_without_door: ({ sensor }) => ({
		said: `${sensor}번 입력이 바뀌었지만 열린 문이 없습니다.`,
		next: '문을 안쪽으로 살짝 누르고 다시 해 주세요. 걸쇠가 뻑뻑하거나 감지기가 고리에 달려 있습니다.'
	}),
	number_taken: ({ number, lock }) => ({
		said: `${number}번 칸은 ${lock}번 채널이 연 칸입니다.`,
		next: '번호를 다시 읽어 주세요. 번호가 맞으면 두 채널이 한 칸에 물려 있습니다.'
	}),
	not_closed: ({ sensor }) => ({
		said: `${sensor}번 입력이 문이 닫힌 것으로 바뀌지 않았습니다.`,
		next: '딸깍 소리가 날 때까지 닫아 주세요. 닫혀 있으면 감지기를 확인하거나 다시 해 주세요.'
	}),
	proven: ({ number }) => ({ said: `${number}번 칸을 확인했습니다.` }),
	proven_unseen: ({ number }) => ({
		said: `${number}번 칸을 확인했지만 감지기가 보지 못했습니다.`,
		next: '감지기가 없거나 고장입니다. 이 칸은 문이 열렸는지 볼 수 없습니다.'
	}),
	crossed: ({ number, sensor }) => ({
		said: `${number}번 칸을 확인했지만 감지기가 ${sensor}번 입력에 물려 있습니다.`,
		next: '감지기 선을 서로 바꿔 꽂고 두 채널을 다시 확인해 주세요.'
	})
};

const families: Record<FamilyKey, string> = {
	'modbus-relay': 'Waveshare Modbus RTU 릴레이',
	'xor-board': '8A/80 보드 (Shuoming, CM06 등)',
	'kerong-cu16': 'KERONG CU16',
	'kerong-cu48': 'KERONG CU48',
	'kerong-cu48-ir': 'KERONG CU48 (물건 감지기)',
	wkly: 'WKLY 보드'
};

const portStates: Record<Port['status'], string> = { online: '연결됨', offline: '끊김' };
const boardStates: Record<Board['status'] | 'lost', string> = {
	online: '응답함',
	silent: '응답 없음',
	unknown: '응답 기록 없음',
	lost: '알 수 없음'
};
const channelStates: Record<ChannelState, string> = {
	open: '남음',
	now: '지금',
	proven: '확인',
	mend: '고칠 것',
	skipped: '건너뜀'
};
const switches: Record<Exclude<AddressBy, 'command'>, string> = {
	dip: 'DIP 스위치',
	rotary: '회전 스위치',
	switch: '주소 스위치'
};

export const wiring = {
	title: '보드와 배선',
	intro: '포트를 고르면 보드 찾기, 주소 정하기, 자물쇠 하나씩 확인하기를 차례로 할 수 있습니다. 보는 것만으로는 문이 열리지 않습니다.',
	none: '설정에 버스가 없습니다. config.toml에 [[bus]]를 적고 서버를 다시 시작해 주세요.',
	families,
	portStates,
	boardStates,
	port: {
		name: (name: string): string => `버스 ${name}`,
		path: '포트',
		state: '상태',
		since: (ago: string): string => `${ago}부터`,
		reconnects: '다시 연결',
		times: (count: string): string => `${count}번`,
		answering: (up: number, all: number): string => `응답하는 보드 ${up}/${all}`,
		reason: (reason: string): string => `이유: ${reason}`,
		go: (name: string): string => `버스 ${name} 설치와 점검`
	},
	board: {
		caption: (bus: string): string => `버스 ${bus}의 보드`,
		columns: ['주소', '종류', '상태', '응답/질문', '무응답', '나쁜 응답', '평균 · 가장 느림'],
		none: '이 버스에는 설정된 보드가 없습니다.',
		name: (address: number): string => `보드 ${address}`,
		times: (mean: string, slowest: string): string => `${mean} · ${slowest} ms`,
		noTimes: '기록 없음',
		figures: '수는 서버가 켜진 뒤부터 센 것입니다.'
	},
	steps: {
		port: '1. 포트 확인',
		scan: '2. 보드 찾기',
		address: '3. 주소 정하기',
		prove: '4. 자물쇠 하나씩 확인'
	},
	portStep: {
		online: '포트가 열려 있습니다.',
		offline: '포트가 닫혀 있습니다. USB 어댑터가 꽂혀 있는지, 설정의 포트 이름이 맞는지 확인해 주세요. 연결되면 이 화면이 스스로 바뀝니다.',
		closed: '포트가 닫혀 있어 지금은 할 수 없습니다.',
		stable: '포트 이름은 /dev/serial/by-id/…로 적어 주세요. 다시 꽂아도 바뀌지 않습니다.'
	},
	scan: {
		intro: '읽기 질문만 보냅니다. 문은 움직이지 않고, 버스는 하던 일을 계속합니다.',
		families: '종류',
		allFamilies: '모든 종류',
		bauds: '속도',
		ownBaud: '고르지 않으면 설정에 적힌 속도로만 찾습니다.',
		baud: (baud: string): string => `${baud} baud`,
		from: '첫 주소',
		to: '끝 주소',
		range: '0부터 255까지의 수를 입력해 주세요. 첫 주소는 끝 주소보다 클 수 없습니다.',
		start: '보드 찾기',
		stop: '중지',
		asked: (asked: string, total: string): string => `질문 ${total}번 가운데 ${asked}번`,
		running: '보드를 찾고 있습니다.',
		done: (count: number): string => `찾기를 마쳤습니다. 찾은 보드 ${count}개`,
		cancelled: (count: number): string => `중지했습니다. 그때까지 찾은 보드 ${count}개`,
		failed: (why: string): string => `찾지 못했습니다. (${why})`,
		nothing: '응답한 보드가 없습니다. 전원, A·B 선, 속도를 확인하고 다시 찾아 주세요.',
		caption: '찾은 보드',
		columns: ['주소', '종류', '속도', '혼자인지', '설정'],
		configured: '설정에 있음',
		unconfigured: '설정에 없음',
		write: '설정에 없는 보드는 아래 줄을 config.toml의 [[bus]] 아래에 적고 서버를 다시 시작해 주세요. 자물쇠 수(locks)는 보드에 맞게 고쳐 주세요.',
		lines: 'config.toml에 적을 줄',
		sharing: {
			alone: '한 보드',
			suspected: '두 보드가 한 주소를 쓰는 듯함',
			unsteady: '가끔 응답 없음',
			unknown: '묻지 않음',
			later: '마지막에 확인함'
		} as Record<string, string>,
		sharingNext: {
			suspected: '한 보드만 남기고 떼어 낸 다음 주소를 따로 정해 주세요.',
			unsteady: '선, 종단 저항, 전원을 확인해 주세요.'
		} as Record<string, string>,
		noisy: (address: number, baud: string): string =>
			`주소 ${address}에서 ${baud} baud로 깨진 응답만 왔습니다. 두 보드가 한 주소를 쓰는지 확인해 주세요.`,
		noise: (baud: string): string =>
			`${baud} baud에서 응답이 아닌 신호가 들렸습니다. 다른 속도로 말하는 보드가 있거나 선이 나쁩니다.`,
		echo: '어댑터가 자기 신호를 다시 듣습니다. 이 버스의 설정에 echo = "present"를 적어 주세요.',
		count: '똑같이 대답하는 두 보드는 하나로 보입니다. 보드의 수를 눈으로 세어 확인해 주세요.'
	},
	address: {
		intro: '릴레이 보드는 모두 주소 1로 나옵니다. 명령으로 다른 주소를 줄 수 있습니다.',
		family: '보드의 종류',
		switches: (by: Exclude<AddressBy, 'command'>, first: number, last: number): string =>
			`이 보드의 주소는 명령이 아니라 ${switches[by]}로 정합니다. 전원을 끄고 ${first}부터 ${last} 사이의, 다른 보드가 쓰지 않는 수로 맞춘 다음 전원을 켜고 보드를 찾아 주세요.`,
		new: '새 주소',
		range: (first: number, last: number): string => `${first}부터 ${last}까지의 수를 입력해 주세요.`,
		alone: '주소를 바꿀 보드 하나만 연결되어 있습니다',
		aloneWhy: '명령은 연결된 모든 보드에 갑니다. 다른 보드는 떼어 내 주세요.',
		aloneMissing: '보드 하나만 연결한 다음 표시해 주세요.',
		start: '주소 바꾸기',
		confirm: (address: number): string => `연결된 보드의 주소를 바꿉니다. 새 주소: ${address}`,
		confirmText: '먼저 모든 주소를 물어, 보드 하나만 대답할 때에만 바꿉니다.',
		running: (asked: number): string => `다른 보드가 있는지 묻고 있습니다. (주소 ${asked})`,
		done: (old: number, now: number): string => `보드의 주소를 바꿨습니다. 옛 주소 ${old}, 새 주소 ${now}`,
		cycle: (now: number): string => `보드가 새 주소(${now})를 받았습니다. 전원을 껐다 켠 뒤부터 씁니다.`,
		failed: '주소를 바꾸지 않았습니다.',
		config: 'config.toml에는 옛 주소가 그대로 있습니다. 고치고 서버를 다시 시작해 주세요.'
	},
	prove: {
		intro: '자물쇠를 하나씩 열어 어느 칸이 열리는지 눈으로 확인합니다. 사물함 앞에 한 사람이 있어야 합니다.',
		begin: (address: number): string => `보드 ${address} 확인 시작`,
		goOn: (address: number): string => `보드 ${address} 이어서 확인`,
		look: (address: number): string => `보드 ${address} 결과 보기`,
		progress: (proven: number, all: number): string => `채널 ${all}개 가운데 ${proven}개 확인`,
		notBegun: '확인하지 않은 보드',
		finished: '모두 확인함',
		rentedTitle: '대여 중인 칸이 있는 보드입니다',
		rented: (number: number | undefined): string =>
			number === undefined
				? '대여 중인 칸의 문도 열립니다. 안의 물건을 지킬 사람이 앞에 있을 때만 진행해 주세요.'
				: `${number}번 칸이 대여 중입니다. 그 문도 열립니다. 안의 물건을 지킬 사람이 앞에 있을 때만 진행해 주세요.`,
		force: '그래도 시작',
		noBoards: '설정된 보드가 없습니다. 보드를 찾아 config.toml에 적은 다음 서버를 다시 시작해 주세요.'
	},
	proof: {
		title: (bus: string, board: number): string => `버스 ${bus} 보드 ${board} 확인`,
		back: (bus: string): string => `버스 ${bus}`,
		counts: (proven: number, skipped: number, left: number): string =>
			`확인 ${proven} · 건너뜀 ${skipped} · 남음 ${left}`,
		there: '사람이 앞에 있습니다',
		thereWhy: '문이 열립니다. 사물함 앞에 사람이 있을 때만 표시해 주세요. 화면을 다시 불러오면 다시 물어봅니다.',
		thereMissing: '「사람이 앞에 있습니다」에 표시한 다음 열 수 있습니다.',
		pulseTitle: (lock: number): string => `${lock}번 채널을 열 차례입니다`,
		pulseText: '모든 문을 닫고 손을 뗀 다음 눌러 주세요.',
		pulse: (lock: number): string => `${lock}번 채널 열기`,
		pulsing: (lock: number): string => `${lock}번 채널을 엽니다. 문을 봐 주세요.`,
		numberTitle: (lock: number): string => `${lock}번 채널을 엽니다. 몇 번 칸이 열렸습니까?`,
		number: '열린 칸의 번호',
		numberWrong: '문에 적힌 번호를 입력해 주세요. 1부터 999999까지 쓸 수 있습니다.',
		proposed: (number: number): string => `${number}번 칸`,
		proposedHint: '지금 설정에 있는 번호',
		opened: '이 칸이 열렸습니다',
		noneOpened: '열린 문 없음',
		key: (digit: string): string => `숫자 ${digit}`,
		back1: '한 글자 지우기',
		keypad: '숫자판',
		closeTitle: (number: number): string => `${number}번 칸 문을 닫아 주세요`,
		closeText: '딸깍 소리가 날 때까지 닫고 눌러 주세요.',
		closed: '문을 닫았습니다',
		repeat: '이 채널 다시',
		skip: '건너뛰기',
		waitTitle: (lock: number): string => `${lock}번 채널을 열고 있습니다`,
		waitText: '다른 화면에서 진행하고 있습니다.',
		refresh: '지금 상태 보기',
		doneTitle: '모든 채널을 확인했거나 건너뛰었습니다',
		sound: '고칠 것이 없습니다.',
		revisit: '건너뛴 채널 다시 확인',
		doubt: '응답이 끊겨 열렸는지 알 수 없습니다. 문을 보고, 열린 문이 있으면 닫은 다음 다시 해 주세요.',
		stillThere: '확인한 것은 서버에 저장되어 있습니다. 나갔다가 돌아와도 이어집니다.',
		channels: '채널',
		channel: (lock: number): string => `${lock}번 채널`,
		channelStates,
		door: (number: number): string => `${number}번 칸`,
		wasDoor: (number: number): string => `시작 때 ${number}번`,
		sensor: (sensor: number): string => `입력 ${sensor}`,
		noSensor: '감지기 없음'
	},
	verdicts,
	findings: {
		title: '찾은 것',
		wires: '바뀐 배선',
		none: '바뀐 배선이 없습니다. 확인한 채널은 모두 설정과 같습니다.',
		swapped: (a: number, x: number, b: number, y: number): string =>
			`${a}번 채널과 ${b}번 채널이 서로 바뀌어 있습니다. ${a}번 채널은 ${x}번 칸, ${b}번 채널은 ${y}번 칸을 엽니다.`,
		moved: (lock: number, before: number, now: number): string =>
			`${lock}번 채널은 확인을 시작할 때 ${before}번 칸으로 설정되어 있었지만 ${now}번 칸을 엽니다.`,
		mend: '고칠 것',
		trouble: (it: Trouble): string => {
			if (it.kind === 'crossed')
				return `${it.lock}번 채널의 감지기가 ${it.sensor}번 입력에 물려 있습니다. 선을 서로 바꿔 꽂고 다시 확인해 주세요.`;
			if (it.kind === 'odd')
				return `${it.lock}번 채널의 감지기만 열림과 닫힘이 반대입니다. 스위치의 종류(상시 열림, 상시 닫힘)를 맞춰 주세요.`;
			if (it.kind === 'unseen') return `${it.lock}번 채널은 열리지만 문을 보는 감지기가 없습니다.`;
			return `확인하지 않은 채널: ${it.locks.join(', ')}`;
		},
		polarity: (bit: boolean | null): string =>
			bit === null ? '움직인 감지기가 없어 닫힘 신호를 모릅니다.' : `닫힌 문의 신호: ${bit ? 1 : 0}`
	},
	apply: {
		heading: '적용과 보고서',
		open: '배선을 설정에 적용',
		title: '찾은 배선을 설정에 적용합니다',
		text: (count: number): string =>
			`칸 ${count}개의 채널을 확인한 대로 적습니다. 모두 적용되거나 하나도 적용되지 않습니다. 그 채널을 쓰던 다른 칸은 채널이 없어집니다.`,
		verb: '배선 적용',
		bank: '없는 번호의 칸을 새로 만들 사물함',
		noBank: '새로 만들지 않음',
		done: (count: number): string => `칸 ${count}개의 배선을 적용했습니다.`,
		doneNext: '닫힘 신호 등 보드의 설정은 보고서에 있는 줄을 config.toml에 옮기고 서버를 다시 시작해 주세요.',
		wired: '설정이 확인한 배선과 같습니다.',
		nothing: '확인한 채널이 없어 적용할 것이 없습니다.',
		crossed: '감지기 선이 엇갈린 채널이 있어 적용할 수 없습니다. 선을 바꿔 꽂고 다시 확인해 주세요.'
	},
	forget: {
		open: '이 확인 지우기',
		title: '이 확인을 지웁니다',
		text: '지금까지의 결과가 사라지고, 처음부터 다시 확인할 수 있습니다. 적용한 배선은 그대로입니다.',
		verb: '확인 지우기'
	},
	report: {
		title: (bus: string, board: number): string => `버스 ${bus} 보드 ${board} 보고서`,
		go: '보고서 보기',
		back: '확인 화면',
		made: (at: string): string => `${at} 기준`,
		columns: ['채널', '칸', '입력', '닫힘 신호', '결과'],
		caption: '채널별 결과',
		config: 'config.toml에 옮길 줄',
		configWhy: '서버는 설정 파일을 스스로 고치지 않습니다. 확인하고 옮긴 다음 서버를 다시 시작해 주세요.',
		print: '인쇄',
		download: '보고서 내려받기 (JSON)',
		labels: '문 번호표 내려받기 (인쇄용)'
	},
	exchanges: {
		title: '보드와 주고받은 신호',
		what: '마지막 200개까지 그대로 보여 드립니다. 제조사나 개발자에게 보낼 때 복사해 주세요.',
		of: '어느 보드',
		strangers: '설정에 없는 주소',
		load: '새로 불러오기',
		none: '주고받은 신호가 없습니다.',
		caption: '주고받은 신호',
		columns: ['시각', '보냄', '받음', '걸린 시간', '판정'],
		noAnswer: '응답 없음',
		copyLabel: '주고받은 신호'
	}
};

export type Wiring = typeof wiring;
