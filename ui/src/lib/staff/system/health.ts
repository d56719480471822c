/** What `GET /health` tells staff of the parts. */
export interface HealthDetails {
	database: { status: string; trouble: string | null; since: string | null; queued: number };
	buses: {
		name: string;
		status: string;
		reason: string | null;
		boards: { address: number; family: string; status: string; last_answer_age_ms: number | null }[];
	}[];
	mail: { status: string; due: number; dead: number; since: string | null; reason: string | null };
}

/** The API document names no fields of the details. */
export const asDetails = (details: unknown): HealthDetails | undefined => (details ?? undefined) as HealthDetails | undefined;
