import { THEMES, type Theme, type ThemeSetting } from '../state/settings.js'
import { useStore } from '../state/store.js'
import { Icon, type IconName } from '../ui/icons.js'

const WORDS: Readonly<Record<Theme, { readonly icon: IconName; readonly label: string }>> = {
  auto: { icon: 'auto', label: 'Colours: as the system' },
  light: { icon: 'sun', label: 'Colours: light' },
  dark: { icon: 'moon', label: 'Colours: dark' },
}

/** Goes round: as the system, light, dark. */
export function ThemeButton({ theme }: { readonly theme: ThemeSetting }) {
  const { current } = useStore(theme)
  const { icon, label } = WORDS[current]
  const next = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length]!
  return (
    <button type="button" id="theme" className="tool" aria-label={label} title={label} onClick={() => theme.set(next)}>
      <Icon name={icon} />
    </button>
  )
}
