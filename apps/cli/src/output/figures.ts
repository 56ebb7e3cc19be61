/** Figures as people read them. */

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const

/** Whole numbers with commas. Without `Intl`, which takes some milliseconds to load. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Three digits and a unit of 1,024: `0 B`, `1.50 KB`, `12.3 MB`, `345 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  if (unit === 0) return `${value} B`
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${UNITS[unit]}`
}

/** Local time to the minute, of one width for years of four digits: `2024-05-01 14:03`; empty beyond the calendar. */
export function formatMinute(seconds: number): string {
  const date = new Date(seconds * 1_000)
  const year = date.getFullYear()
  if (!(year >= 0 && year <= 9_999)) return ''
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${String(year).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}
