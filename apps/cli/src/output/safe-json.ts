/** JSON without anything that a terminal could obey: C1 controls and bidirectional overrides are escaped as well. */
export function safeJson(value: unknown, indent = 0): string {
  return escapeJson(JSON.stringify(value, undefined, indent))
}

/** The same of a text that is JSON already. */
export function escapeJson(text: string): string {
  return text.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
