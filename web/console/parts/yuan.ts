/** yuan shows 分 as yuan. */
export function yuan(fen: number): string {
  return `¥ ${(fen / 100).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
}
