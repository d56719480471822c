export const system = { copy: { copy: '복사', copied: '복사했습니다.', select: '복사할 줄을 골라 두었습니다. 직접 복사해 주세요.' }, adminOnly: '관리자만 할 수 있습니다.' };

export type System = typeof system;
