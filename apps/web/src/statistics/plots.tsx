import { formatCount, formatShortCount } from '../text/format.js'

/** Units of a drawing; it is stretched to the width that there is. */
const WIDTH = 600
const HEIGHT = 150
const FOOT = 18
const GAP = 2

interface BarsProps {
  readonly label: string
  readonly values: readonly number[]
  /** Of some bars, below them. */
  readonly names: readonly string[]
  readonly titleOf: (at: number) => string
}

/** Upright bars from zero. */
export function Bars({ label, values, names, titleOf }: BarsProps) {
  const most = Math.max(1, ...values)
  const step = WIDTH / Math.max(1, values.length)
  return (
    <div className="plot">
      <span className="most" aria-hidden="true">
        {formatShortCount(Math.max(0, ...values))}
      </span>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <path className="axis" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
        <path className="guide" d={`M0 ${HEIGHT / 2}H${WIDTH}M0 0.5H${WIDTH}`} />
        {values.map((value, at) => {
          const height = value === 0 ? 0 : Math.max(2, (value / most) * (HEIGHT - FOOT))
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: bars are their places
            <g key={at}>
              <title>{titleOf(at)}</title>
              <rect className="hit-box" x={at * step} y={0} width={step} height={HEIGHT} />
              <rect
                className="bar"
                x={at * step + GAP / 2}
                y={HEIGHT - height}
                width={Math.max(1, step - GAP)}
                height={height}
                rx={1.5}
              />
            </g>
          )
        })}
      </svg>
      <div className="names" aria-hidden="true">
        {names.map((name, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: names are their places
          <span key={at}>{name}</span>
        ))}
      </div>
    </div>
  )
}

interface Share {
  readonly id: string
  readonly label: string
  readonly value: number
  /** What is said of it. */
  readonly text: string
  readonly detail?: string
  readonly className?: string
}

/** Lying bars with their names, in the order given. */
export function ShareList({ shares }: { readonly shares: readonly Share[] }) {
  const most = Math.max(1, ...shares.map(({ value }) => value))
  return (
    <ul className="shares">
      {shares.map(({ id, label, value, text, detail, className = '' }) => (
        <li key={id} title={detail}>
          <span className="share-label">{label}</span>
          <span className="track">
            <span className={`fill ${className}`} style={{ width: `${(value / most) * 100}%` }} />
          </span>
          <span className="share-text">{text}</span>
          {detail !== undefined && <span className="share-detail">{detail}</span>}
        </li>
      ))}
    </ul>
  )
}

interface LineProps {
  readonly label: string
  readonly values: readonly number[]
  readonly names: readonly string[]
}

/** A line over equal steps of time, with what is below it. */
export function Line({ label, values, names }: LineProps) {
  const most = Math.max(1, ...values)
  const step = WIDTH / Math.max(1, values.length - 1)
  const points = values.map(
    (value, at) => `${round(at * step)},${round(HEIGHT - 1 - (value / most) * (HEIGHT - FOOT))}`,
  )
  return (
    <div className="plot">
      <span className="most" aria-hidden="true">
        {formatShortCount(Math.max(0, ...values))}
      </span>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <path className="axis" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
        <path className="guide" d={`M0 ${HEIGHT / 2}H${WIDTH}M0 0.5H${WIDTH}`} />
        <path className="area" d={`M0,${HEIGHT}L${points.join('L')}L${WIDTH},${HEIGHT}Z`} />
        <path className="line" d={`M${points.join('L')}`} />
        {values.map((value, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps are their places
          <rect key={at} className="hit-box" x={(at - 0.5) * step} y={0} width={step} height={HEIGHT}>
            <title>{`${formatCount(value)}, ${values.length - at} min ago`}</title>
          </rect>
        ))}
      </svg>
      <div className="names" aria-hidden="true">
        {names.map((name, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: names are their places
          <span key={at}>{name}</span>
        ))}
      </div>
    </div>
  )
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
