import {
  AGE_FILTERS,
  type Filter,
  type Filters,
  isFiltered,
  NO_FILTERS,
  SIZE_FILTERS,
  TYPE_FILTERS,
  withType,
} from '../state/filters.js'
import type { PathRef } from '../state/path-ref.js'
import { PlainText } from '../text/plain-text.js'
import { visibleText } from '../text/visible-text.js'
import { Icon, type IconName } from '../ui/icons.js'

interface BarProps {
  readonly filters: Filters
  readonly under: PathRef | undefined
  readonly onFilters: (filters: Filters) => void
  readonly onUnder: (under: PathRef | undefined) => void
}

/** What the hits are narrowed to, beside what is typed. */
export function FilterBar({ filters, under, onFilters, onUnder }: BarProps) {
  return (
    <fieldset className="filters" aria-label="Filters">
      {under !== undefined && (
        <button
          type="button"
          id="under"
          className="chip on"
          title={`Only below ${visibleText(under.text)}. Press to search everywhere.`}
          onClick={() => onUnder(undefined)}
        >
          <Icon name="folder" />
          <span className="chip-path">
            <PlainText text={under.text} />
          </span>
          <Icon name="clear" />
        </button>
      )}
      {TYPE_FILTERS.map(({ id, label, query }) => {
        const isOn = filters.types.includes(id)
        return (
          <button
            key={id}
            type="button"
            className={isOn ? 'chip on' : 'chip'}
            aria-pressed={isOn}
            title={`${label} (${query})`}
            onClick={() => onFilters(withType(filters, id, !isOn))}
          >
            <Icon name={id as IconName} className={`type-${id}`} />
            {label}
          </button>
        )
      })}
      <span className="rule" />
      <Choice
        label="Modified"
        any="Any time"
        all={AGE_FILTERS}
        value={filters.age}
        onChange={age => onFilters({ ...filters, age })}
      />
      <Choice
        label="Size"
        any="Any size"
        all={SIZE_FILTERS}
        value={filters.size}
        onChange={size => onFilters({ ...filters, size })}
      />
      {isFiltered(filters) && (
        <button type="button" className="chip quiet" onClick={() => onFilters(NO_FILTERS)}>
          Clear filters
        </button>
      )}
    </fieldset>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly any: string
  readonly all: readonly Filter[]
  readonly value: string
  readonly onChange: (id: string) => void
}

function Choice({ label, any, all, value, onChange }: ChoiceProps) {
  return (
    <span className={value === '' ? 'choice' : 'choice on'}>
      <select aria-label={label} value={value} onChange={event => onChange(event.target.value)}>
        <option value="">{any}</option>
        {all.map(filter => (
          <option key={filter.id} value={filter.id}>
            {filter.label}
          </option>
        ))}
      </select>
      <Icon name="down" />
    </span>
  )
}
