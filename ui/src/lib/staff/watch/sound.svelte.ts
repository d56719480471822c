/**
 * A short tone for each new alarm, if this device was asked to: off at first, one switch for the device. Browsers
 * let a page sound only after somebody pressed something, so a page that was loaded anew waits for the first press.
 */
import { liveAlarms } from '../alarms.svelte';

const NAME = 'lockerd.alarm-sound';

class AlarmSound {
	/** Whether this device is to sound. */
	isOn = $state(read());
	/** Whether the browser lets it. */
	isAwake = $state(false);
	readonly canSound = typeof AudioContext !== 'undefined';

	#context: AudioContext | undefined;
	#known = 0;
	#isListening = false;

	/** Listens for new alarms from now on; further calls change nothing. */
	listen(): void {
		if (this.#isListening || !this.canSound) return;
		this.#isListening = true;
		if (this.isOn) addEventListener('pointerdown', () => void this.#wake(), { once: true });
		let isFirst = true;
		$effect.root(() => {
			$effect(() => {
				const newest = Math.max(0, ...liveAlarms.open.map(({ alarm_id: id }) => id));
				// What stood before somebody looked is no news.
				if (newest > this.#known && !isFirst && this.isOn) this.#tone();
				isFirst = newest === 0 && isFirst;
				this.#known = Math.max(this.#known, newest);
			});
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
