/** One thing that was looked at. `note` is worth knowing; `bad` is wrong and needs somebody. */
export interface Finding {
  readonly state: 'good' | 'note' | 'bad'
  readonly what: string
  readonly detail: string
}
