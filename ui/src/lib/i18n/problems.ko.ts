/** One text for each refusal of the server (docs/ref/problems.md): what happened, why, what to do now. */
import type { Refusal } from '../api/problem';
import type { Format } from '../format';

export type Problems = Record<string, string | ((refusal: Refusal, format: Format) => string)>;

export const problems: Problems = {
	bad_credentials: '학번 또는 비밀번호가 맞지 않습니다. 대문자와 한/영 상태를 확인해 주세요.',
	too_many_attempts: (refusal, format) =>
		refusal.retryAfterMs === undefined
			? '여러 번 틀려 로그인이 잠겼습니다. 직원에게 알려 주세요.'
			: `여러 번 틀려 ${format.length(refusal.retryAfterMs)} 동안 로그인할 수 없습니다.`,
	penalty: (refusal, format) => {
		const until = refusal.text('ends_on');
		return until
			? `늦은 반납으로 ${format.day(until)}까지 신청할 수 없습니다.`
			: '늦은 반납으로 지금은 신청할 수 없습니다.';
	}
};
