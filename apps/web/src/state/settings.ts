import { Kept } from './kept.js'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

export class ThemeSetting extends Kept<Theme> {
  constructor() {
    super('theme', stored => THEMES.find(theme => theme === stored), 'auto')
    this.subscribe(() => this.apply())
    this.apply()
  }

  /** The style sheet follows the system unless this says otherwise. */
  private apply(): void {
    if (this.current === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = this.current
  }
}

export class Switch extends Kept<boolean> {
  constructor(name: string, otherwise: boolean) {
    super(name, stored => (typeof stored === 'boolean' ? stored : undefined), otherwise)
  }
}
