import type { Interval } from './intervals.js'

type Unit = 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'

/** Furthest that `last9999days` and its kind may reach, in units: keeps dates inside what `Date` holds. */
const MAX_UNITS = 9_999

/** Seconds since 1970 of a local time; fields may exceed their range, as in `Date`. */
function localSeconds(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  const date = new Date(2000, 0, 1)
  // Unlike the constructor, setFullYear takes years below 100 as they are.
  date.setFullYear(year, month - 1, day)
  date.setHours(hour, minute, second, 0)
  return date.getTime() / 1000
}

/**
 * The interval of a date in seconds since 1970, in local time: `2024`, `2024-05`, `2024-05-01`, `20240501`,
 * `2024-05-01T10`, `2024-05-01T10:20`, `2024-05-01 10:20:30` (with `Z`: UTC), `today`, `yesterday`, `tomorrow`, the name
 * of a month or day of the week (the last one that has begun; three letters suffice), and
 * `last|past|prev|previous|this|current|next|coming` with a unit and, but for this and current, a number before it.
 * Without a number it is the calendar unit before, at or after now (weeks start on Monday); with a number it is the time
 * from so many units ago until now, or from now on. Undefined if the text is none of these.
 *
 * @param nowMs milliseconds since 1970
 */
export function readDate(text: string, nowMs: number): Interval | undefined {
  const word = text.toLowerCase()
  if (word === 'today') return calendarUnit('day', 0, nowMs)
  if (word === 'yesterday') return calendarUnit('day', -1, nowMs)
  if (word === 'tomorrow') return calendarUnit('day', 1, nowMs)
  return readRelative(word, nowMs) ?? readNamed(word, nowMs) ?? readIso(word)
}

const MONTHS = [
  ...['january', 'february', 'march', 'april', 'may', 'june'],
  ...['july', 'august', 'september', 'october', 'november', 'december'],
]
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

function readNamed(word: string, nowMs: number): Interval | undefined {
  if (word.length < 3) return undefined
  const now = new Date(nowMs)
  const isMeant = (name: string) => word === name || word === name.slice(0, 3)
  const month = MONTHS.findIndex(isMeant)
  if (month >= 0) return calendarUnit('month', -((now.getMonth() - month + 12) % 12), nowMs)
  const weekday = WEEKDAYS.findIndex(isMeant)
  return weekday < 0 ? undefined : calendarUnit('day', -((now.getDay() - weekday + 7) % 7), nowMs)
}

function readRelative(word: string, nowMs: number): Interval | undefined {
  const match =
    /^(last|past|prev|previous|this|current|next|coming)(\d*)(sec|second|min|minute|hour|day|week|month|year)s?$/.exec(
      word,
    )
  if (!match) return undefined
  const [, direction, digits, written] = match
  const unit = written === 'sec' ? 'second' : written === 'min' ? 'minute' : (written as Unit)
  const present = direction === 'this' || direction === 'current'
  const future = direction === 'next' || direction === 'coming'
  if (digits === '') return calendarUnit(unit, present ? 0 : future ? 1 : -1, nowMs)
  const count = Number(digits)
  if (present || count < 1 || count > MAX_UNITS) return undefined
  const now = Math.floor(nowMs / 1000)
  // The second that is running belongs to both.
  return future ? { from: now, to: shifted(now, unit, count) + 1 } : { from: shifted(now, unit, -count), to: now + 1 }
}

/** The calendar unit that lies `offset` units after the one that now is in. */
function calendarUnit(unit: Unit, offset: number, nowMs: number): Interval {
  const now = new Date(nowMs)
  const [year, month, day] = [now.getFullYear(), now.getMonth() + 1, now.getDate()]
  const start = (steps: number): number => {
    switch (unit) {
      case 'year':
        return localSeconds(year + steps, 1, 1)
      case 'month':
        return localSeconds(year, month + steps, 1)
      case 'week':
        return localSeconds(year, month, day - ((now.getDay() + 6) % 7) + 7 * steps)
      case 'day':
        return localSeconds(year, month, day + steps)
      default: {
        const seconds = unit === 'hour' ? 3600 : unit === 'minute' ? 60 : 1
        // Local hours and minutes start where those of UTC do, or half an hour off.
        const offsetSeconds = now.getTimezoneOffset() * 60
        const local = Math.floor(nowMs / 1000) - offsetSeconds
        return (Math.floor(local / seconds) + steps) * seconds + offsetSeconds
      }
    }
  }
  return { from: start(offset), to: start(offset + 1) }
}

function shifted(seconds: number, unit: Unit, count: number): number {
  if (unit === 'second') return seconds + count
  if (unit === 'minute') return seconds + 60 * count
  if (unit === 'hour') return seconds + 3600 * count
  const date = new Date(seconds * 1000)
  const months = unit === 'year' ? 12 * count : unit === 'month' ? count : 0
  const days = unit === 'week' ? 7 * count : unit === 'day' ? count : 0
  const monthIndex = date.getFullYear() * 12 + date.getMonth() + months
  const [year, month] = [Math.floor(monthIndex / 12), (((monthIndex % 12) + 12) % 12) + 1]
  // A month ago on the 31st is the last day of a shorter month.
  const day = months === 0 ? date.getDate() : Math.min(date.getDate(), daysInMonth(year, month))
  return localSeconds(year, month, day + days, date.getHours(), date.getMinutes(), date.getSeconds())
}

function daysInMonth(year: number, month: number): number {
  return [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

function readIso(word: string): Interval | undefined {
  const match =
    /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[t ](\d\d)(?::(\d\d)(?::(\d\d))?)?(z)?)?)?)?$/.exec(word) ??
    /^(\d{4})(\d\d)(\d\d)$/.exec(word)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map(field => (field === undefined ? undefined : Number(field)))
  const fits = (value: number | undefined, low: number, high: number) =>
    value === undefined || (value >= low && value <= high)
  if (!fits(month, 1, 12) || !fits(day, 1, daysInMonth(year!, month ?? 1))) return undefined
  if (!fits(hour, 0, 23) || !fits(minute, 0, 59) || !fits(second, 0, 59)) return undefined
  if (month === undefined) return { from: localSeconds(year!, 1, 1), to: localSeconds(year! + 1, 1, 1) }
  if (day === undefined) return { from: localSeconds(year!, month, 1), to: localSeconds(year!, month + 1, 1) }
  if (hour === undefined) return { from: localSeconds(year!, month, day), to: localSeconds(year!, month, day + 1) }
  const from = match[7]
    ? utcSeconds(year!, month, day, hour, minute ?? 0, second ?? 0)
    : localSeconds(year!, month, day, hour, minute, second)
  return { from, to: from + (minute === undefined ? 3600 : second === undefined ? 60 : 1) }
}

function utcSeconds(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, 0)
  return date.getTime() / 1000
}
