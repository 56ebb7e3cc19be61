import { type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { Icon, type IconName } from './icons.js'

interface MenuProps {
  readonly icon: IconName
  readonly label: string
  /** Shown beside the sign. */
  readonly text?: string
  readonly className?: string
  /** What is in it; `close` gives the focus back. */
  readonly children: (close: () => void) => ReactNode
}

/** A button with a panel below it. The panel closes with Escape, a click elsewhere, and when the focus leaves it. */
export function Menu({ icon, label, text, className = '', children }: MenuProps) {
  const [isOpen, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const panel = useRef<HTMLDivElement>(null)
  const id = useId()
  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  useEffect(() => {
    if (!isOpen) return
    panel.current?.querySelector<HTMLElement>('button, input, select, a')?.focus()
    const elsewhere = (event: Event) => {
      if (!(event.target instanceof Node && root.current?.contains(event.target))) setOpen(false)
    }
    // Wherever the focus is: what had it may be gone.
    const escaped = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      event.stopPropagation()
      setOpen(false)
      button.current?.focus()
    }
    addEventListener('keydown', escaped, { capture: true })
    addEventListener('pointerdown', elsewhere)
    addEventListener('focusin', elsewhere)
    return () => {
      removeEventListener('keydown', escaped, { capture: true })
      removeEventListener('pointerdown', elsewhere)
      removeEventListener('focusin', elsewhere)
    }
  }, [isOpen])
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys are taken from what is inside
    <div
      className={`menu ${className}`}
      ref={root}
      onKeyDown={event => {
        if (!isOpen) return
        if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
          event.preventDefault()
          event.stopPropagation()
          moveFocus(panel.current, event.key === 'ArrowDown' ? 1 : -1)
        }
      }}
    >
      <button
        type="button"
        ref={button}
        className={text === undefined ? 'tool' : 'tool with-text'}
        title={label}
        aria-label={label}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name={icon} />
        {text}
      </button>
      {isOpen && (
        <section className="panel" id={id} ref={panel} aria-label={label}>
          {children(close)}
        </section>
      )}
    </div>
  )
}

function moveFocus(panel: HTMLElement | null, by: number): void {
  const all = [...(panel?.querySelectorAll<HTMLElement>('button, input, select, a') ?? [])]
  const at = all.indexOf(document.activeElement as HTMLElement)
  all[(at + by + all.length) % all.length]?.focus()
}
