/** Figures as text: three digits that matter, and their unit. */

export function formatMs(ms: number): string {
  if (Number.isNaN(ms)) return '?'
  if (ms >= 10_000) return `${digits(ms / 1000)} s`
  return `${digits(ms)} ms`
}

export function formatCount(count: number): string {
  return Number.isNaN(count) ? '?' : Math.round(count).toLocaleString('en-US')
}

/** Megabytes of 1,000,000 bytes. */
export function formatMegabytes(bytes: number): string {
  return Number.isNaN(bytes) ? '?' : `${digits(bytes / 1e6)} MB`
}

export function formatRatio(ratio: number): string {
  return Number.isNaN(ratio) ? '?' : `${ratio.toFixed(2)} ×`
}

/** Three digits, no exponent, no useless zeros before the point. */
export function digits(value: number): string {
  const size = Math.abs(value)
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  return size >= 1 ? value.toFixed(2) : value.toFixed(3)
}

/** A part of a whole from 0 to 1. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 1 ? 1 : 0)} %`
}
