import { describe, expect, it } from 'vitest';
import { backOf, withBack } from './back';

const at = (back: string): URL => new URL(`http://lockers.test/login?back=${encodeURIComponent(back)}`);

describe('the way back', () => {
	it('leads to pages of this site', () => {
		expect(backOf(at('/b/3?filter=free'))).toBe('/b/3?filter=free');
		expect(backOf(at('/my#door'))).toBe('/my#door');
		expect(backOf(new URL('http://lockers.test/login'))).toBe('/');
	});

	it.each(['//evil.test', '/\\evil.test', 'https://evil.test', 'javascript:alert(1)', '/a\\b', '/\t/evil.test', '', 'my'])(
		'does not lead to %j',
		(wanted) => expect(backOf(at(wanted))).toBe('/')
	);

	it('does not lead to a log-in again', () => {
		expect(backOf(at('/login'))).toBe('/');
		expect(backOf(at('/login?back=/my'))).toBe('/');
		expect(backOf(at('/password/new'))).toBe('/');
		expect(backOf(at('/loginish'))).toBe('/loginish');
	});

	it('is handed on', () => {
		expect(withBack('/signup', at('/b/3?x=1'))).toBe('/signup?back=%2Fb%2F3%3Fx%3D1');
		expect(withBack('/signup', at('//evil.test'))).toBe('/signup');
	});
});
