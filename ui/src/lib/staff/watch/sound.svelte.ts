/**
 * A short tone for each new alarm, if this device was asked to: off at first, one switch for the device. Browsers
 * let a page sound only after somebody pressed something, so a page that was loaded anew waits for the first press.
 */
import { live } from '../../live';
import type { Item } from '../../live/protocol';
import { liveAlarms } from '../alarms.svelte';
import { Bell } from './bell';

const NAME = 'lockerd.alarm-sound';

class AlarmSound {
	/** Whether this device is to sound. */
	isOn = $state(read());
	/** Whether the browser lets it. */
	isAwake = $state(false);
	readonly canSound = typeof AudioContext !== 'undefined';

	#context: AudioContext | undefined;
	#isListening = false;

	/** Listens for new alarms from now on; further calls change nothing. */
	listen(): void {
		if (this.#isListening || !this.canSound) return;
		this.#isListening = true;
		if (this.isOn) addEventListener('pointerdown', () => void this.#wake(), { once: true });
		const bell = new Bell(liveAlarms.all.map(({ alarm_id: id }) => id));
		const ids = (items: Item[]): number[] =>
			items.flatMap(({ alarm_id: id, state }) => (typeof id === 'number' && state !== 'over' ? [id] : []));
		const ring = (isNews: boolean): void => {
			if (isNews && this.isOn) this.#tone();
		};
		live.hear('alarms', {
			snapshot: (items) => ring(bell.shown(ids(items))),
			delta: (items) => ring(bell.told(ids(items)))
		});
	}

	/** Turns it on or off; call it in a press. Turning on sounds once, so that one knows it. */
	async toggle(): Promise<void> {
		this.isOn = !this.isOn;
		try {
			if (this.isOn) localStorage.setItem(NAME, '1');
			else localStorage.removeItem(NAME);
		} catch {
			// It lasts as long as this page.
		}
		if (!this.isOn) return;
		await this.#wake();
		this.#tone();
	}

	async #wake(): Promise<void> {
		this.#context ??= new AudioContext();
		await this.#context.resume();
		this.isAwake = this.#context.state === 'running';
	}

	/** Two soft tones, the second one higher, half a second in all. */
	#tone(): void {
		const context = this.#context;
		if (context?.state !== 'running') return;
		for (const [at, pitch] of [[0, 660], [0.22, 880]] as const) {
			const [source, volume] = [context.createOscillator(), context.createGain()];
			const begin = context.currentTime + at;
			source.frequency.value = pitch;
			volume.gain.setValueAtTime(0, begin);
			volume.gain.linearRampToValueAtTime(0.25, begin + 0.02);
			volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.25);
			source.connect(volume).connect(context.destination);
			source.start(begin);
			source.stop(begin + 0.3);
		}
	}
}

function read(): boolean {
	try {
		return localStorage.getItem(NAME) !== null;
	} catch {
		return false;
	}
}

export const alarmSound = new AlarmSound();
