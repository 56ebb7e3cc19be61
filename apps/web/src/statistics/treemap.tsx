import type { BrowserClient, SizeReply, SizesReply } from '@hotpath/client/browser'
import { hierarchy, treemap, treemapSquarify } from 'd3-hierarchy'
import { useLayoutEffect, useRef, useState } from 'react'
import { bytesOf, type PathRef, pathParts, pathRef } from '../state/path-ref.js'
import { formatCount, formatSize } from '../text/format.js'
import { PlainText } from '../text/plain-text.js'
import { visibleText } from '../text/visible-text.js'
import { Icon } from '../ui/icons.js'
import { Figure, Missing } from './figure.js'
import { useAnswer } from './use-answer.js'

const HEIGHT_PX = 380
/** Below this a name cannot be read. */
const LABEL_PX = { width: 54, height: 20 }

interface SizesProps {
  readonly client: Pick<BrowserClient, 'sizes'>
  readonly under: PathRef | undefined
  readonly onUnder: (under: PathRef | undefined) => void
  readonly onSearch: (under: PathRef) => void
}

/** Which directories hold how much, as areas; a press goes into one. */
export function SizesByFolder({ client, under, onUnder, onSearch }: SizesProps) {
  const answer = useAnswer(under?.encoded ?? '', signal =>
    client.sizes(under === undefined ? undefined : bytesOf(under), { signal }),
  )
  if (answer.state !== 'there') {
    return (
      <Figure id="sizes" title="Size by folder" className="wide">
        {under !== undefined && <Trail under={under} onUnder={onUnder} onSearch={onSearch} />}
        <Missing answer={answer} what={under === undefined ? 'sizes by folder' : 'sizes of this folder'} />
      </Figure>
    )
  }
  const sizes = answer.value
  return (
    <Figure
      id="sizes"
      title="Size by folder"
      note={`${formatSize(sizes.size)} in ${entries(sizes.count)}`}
      className="wide"
      table={{
        heads: ['Name', 'Size', 'Entries'],
        rows: [
          ...sizes.children.map(child => [labelOf(child), formatSize(child.size), formatCount(child.count)]),
          ...(sizes.rest.count > 0
            ? [['everything else', formatSize(sizes.rest.size), formatCount(sizes.rest.count)]]
            : []),
        ],
      }}
    >
      <Trail under={under} onUnder={onUnder} onSearch={onSearch} />
      <Areas sizes={sizes} onUnder={onUnder} />
    </Figure>
  )
}

interface TrailProps {
  readonly under: PathRef | undefined
  readonly onUnder: (under: PathRef | undefined) => void
  readonly onSearch: (under: PathRef) => void
}

function Trail({ under, onUnder, onSearch }: TrailProps) {
  const parts = under === undefined ? [] : pathParts(bytesOf(under))
  return (
    <nav className="trail" aria-label="Folders above">
      <button type="button" onClick={() => onUnder(undefined)} aria-current={under === undefined ? 'page' : undefined}>
        All roots
      </button>
      {parts.map(({ name, ref }) => (
        <span key={ref.encoded}>
          <Icon name="chevron" />
          <button
            type="button"
            aria-current={ref.encoded === under?.encoded ? 'page' : undefined}
            onClick={() => onUnder(ref)}
          >
            <PlainText text={name} />
          </button>
        </span>
      ))}
      {under !== undefined && (
        <button type="button" className="trail-search" onClick={() => onSearch(under)}>
          <Icon name="search" /> Search here
        </button>
      )}
    </nav>
  )
}

interface Node {
  readonly child: SizeReply | undefined
  readonly size: number
  readonly count: number
  readonly children?: readonly Node[]
}

function Areas({ sizes, onUnder }: { readonly sizes: SizesReply; readonly onUnder: (under: PathRef) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const [widthPx, setWidth] = useState(0)
  useLayoutEffect(() => {
    const element = box.current!
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    setWidth(element.clientWidth)
    return () => observer.disconnect()
  }, [])
  const rest: Node[] = sizes.rest.size > 0 ? [{ child: undefined, ...sizes.rest }] : []
  const children = [...sizes.children.map(child => ({ child, size: child.size, count: child.count })), ...rest]
  const root = hierarchy<Node>({ child: undefined, size: 0, count: 0, children }, node => node.children as Node[])
    .sum(node => (node.children === undefined ? node.size : 0))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0))
  const laid = treemap<Node>().tile(treemapSquarify.ratio(1.3)).size([widthPx, HEIGHT_PX]).paddingInner(2).round(true)(
    root,
  )
  const leaves = widthPx === 0 || sizes.size === 0 ? [] : laid.leaves()
  return (
    <div className="areas" ref={box} style={{ height: HEIGHT_PX }}>
      {sizes.size === 0 && <p className="none">Nothing here takes room.</p>}
      {leaves.map(({ data, x0, y0, x1, y1 }, at) => {
        const [width, height] = [x1 - x0, y1 - y0]
        if (width < 1 || height < 1) return null
        const { child } = data
        const name = child === undefined ? 'everything else' : labelOf(child)
        const title = `${visibleText(name)}\n${formatSize(data.size)}${data.count > 0 ? ` · ${entries(data.count)}` : ''}`
        const text = width >= LABEL_PX.width && height >= LABEL_PX.height && (
          <>
            <span className="area-name">
              <PlainText text={name} />
            </span>
            {height >= 2 * LABEL_PX.height && <span className="area-size">{formatSize(data.size)}</span>}
          </>
        )
        const style = { left: x0, top: y0, width, height }
        const shade = `shade-${at % 6}`
        return child?.type === 'directory' ? (
          <button
            key={child.path}
            type="button"
            className={`area ${shade}`}
            style={style}
            title={title}
            aria-label={title.replace('\n', ', ')}
            onClick={() => onUnder(refOf(child))}
          >
            {text}
          </button>
        ) : (
          <div key={child?.path ?? ''} className="area file" style={style} title={title}>
            {text}
          </div>
        )
      })}
    </div>
  )
}

function refOf({ path, pathBytes }: SizeReply): PathRef {
  return pathRef(pathBytes === undefined ? path : Uint8Array.from(atob(pathBytes), one => one.charCodeAt(0)))
}

function entries(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'entry' : 'entries'}`
}

function labelOf({ name, path }: SizeReply): string {
  return name === '' ? path : name
}
