/** How large letters are beside the usual 16 px: charts are drawn in pixels, their labels grow with the text. */
export const letterScale = (): number => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
