/** What people call the browser and system behind a User-Agent; new ones that nobody knows are `undefined`. */

const BROWSERS: [RegExp, string][] = [
	[/KAKAOTALK/i, 'KakaoTalk'],
	[/NAVER\(inapp/i, 'NAVER'],
	[/Whale\//, 'Whale'],
	[/SamsungBrowser\//, 'Samsung Internet'],
	[/Edg(A|iOS)?\//, 'Edge'],
	[/OPR\/|Opera/, 'Opera'],
	[/Firefox\/|FxiOS\//, 'Firefox'],
	[/HeadlessChrome\/|Chrome\/|CriOS\//, 'Chrome'],
	[/Version\/[\d.]+.*Safari\//, 'Safari'],
	[/curl\//, 'curl']
];

const SYSTEMS: [RegExp, string][] = [
	[/iPhone/, 'iPhone'],
	[/iPad/, 'iPad'],
	[/Android/, 'Android'],
	[/Windows/, 'Windows'],
	[/CrOS/, 'ChromeOS'],
	[/Macintosh|Mac OS X/, 'Mac'],
	[/Linux/, 'Linux']
];

const find = (names: [RegExp, string][], text: string): string | undefined => names.find(([sign]) => sign.test(text))?.[1];

/** `Chrome · Android`. */
export function deviceName(userAgent: string): string | undefined {
	return [find(BROWSERS, userAgent), find(SYSTEMS, userAgent)].filter(Boolean).join(' · ') || undefined;
}
