/** What everybody does at a kiosk before they do anything else. */
import { kiosk, type Kiosk } from '../src/lib/i18n/kiosk.ko';
import type { Visitor } from './site';

/** Types id and code as on a number pad. */
export async function signIn({ page }: Visitor, id: string, code: string, words: Kiosk = kiosk): Promise<void> {
	await page.getByRole('heading', { name: words.id.title }).waitFor();
	await page.keyboard.type(id);
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: words.code.title }).waitFor();
	await page.keyboard.type(code);
	await page.keyboard.press('Enter');
}
