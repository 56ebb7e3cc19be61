/** The signs of the page: 16 units, drawn in lines of the text's colour. Shapes are in the document once. */
const SHAPES = {
  folder: (
    <path d="M1.8 4.2c0-.7.5-1.2 1.2-1.2h3l1.5 1.7h5.5c.7 0 1.2.5 1.2 1.2v6c0 .7-.5 1.2-1.2 1.2H3c-.7 0-1.2-.5-1.2-1.2z" />
  ),
  other: <path d="M4 1.8h5l3.2 3.2v9H4zM9 1.8V5h3.2" />,
  document: <path d="M4 1.8h5l3.2 3.2v9H4zM9 1.8V5h3.2M6 8h4M6 10.4h4" />,
  code: <path d="M5.5 4.5 2 8l3.5 3.5M10.500 4.5 14 8l-3.500 3.500M9.200 3 6.800 13" />,
  picture: <path d="M2 3.200h12v9.600H2zM2.200 11.200l3.400-3.400 2.600 2.600 2-2 3.600 3.600M10.600 6.400v.01" />,
  audio: (
    <path d="M6 11.600V3.600l6.400-1.300v8M6 11.600a1.900 1.700 0 1 1-3.800 0 1.900 1.700 0 0 1 3.800 0zM12.400 10.300a1.900 1.700 0 1 1-3.800 0 1.900 1.700 0 0 1 3.800 0z" />
  ),
  video: <path d="M1.800 4h8.700v8H1.800zM10.500 7l3.700-2.200v6.400L10.500 9" />,
  archive: <path d="M2.200 3h11.600v2.800H2.200zM3.200 5.800h9.600v7.400H3.200zM6.500 8.300h3" />,
  executable: <path d="M2 3h12v10H2zM4.500 6l2 2-2 2M8.300 10.300h3" />,
  link: (
    <path d="M6.700 9.300a2.500 2.500 0 0 0 3.500 0l2.400-2.400a2.500 2.500 0 0 0-3.500-3.500L8 4.500M9.300 6.700a2.500 2.500 0 0 0-3.500 0L3.400 9.100a2.500 2.500 0 0 0 3.500 3.500L8 11.500" />
  ),
  search: <path d="M11.300 7a4.300 4.300 0 1 1-8.600 0 4.300 4.300 0 0 1 8.600 0zM10.200 10.200l3.600 3.600" />,
  clear: <path d="M4.200 4.200l7.600 7.600M11.800 4.200l-7.600 7.600" />,
  star: <path d="M8 1.900l1.900 3.900 4.300.6-3.100 3 .7 4.300L8 11.700l-3.800 2 .7-4.300-3.100-3 4.300-.6z" />,
  history: (
    <path d="M2.300 8a5.700 5.700 0 1 0 1.700-4.100L2.300 5.500M2.300 2.300v3.200h3.200M8 4.800V8l2.300 1.500" />
  ),
  chart: <path d="M2 14h12M3.700 14V8.500h2V14M7 14V3h2v11M10.300 14V6h2v8" />,
  help: (
    <path d="M13.800 8A5.800 5.800 0 1 1 2.200 8a5.800 5.800 0 0 1 11.600 0zM6.300 6.300a1.800 1.800 0 1 1 2.600 1.600c-.6.3-.9.7-.9 1.300M8 11.300v.01" />
  ),
  sun: (
    <path d="M10.800 8a2.800 2.800 0 1 1-5.600 0 2.800 2.800 0 0 1 5.600 0zM8 1.400v1.300M8 13.300v1.300M1.400 8h1.300M13.300 8h1.300M3.300 3.300l1 1M11.700 11.700l1 1M12.700 3.300l-1 1M4.300 11.700l-1 1" />
  ),
  moon: <path d="M13.600 9.700A6 6 0 0 1 6.300 2.400a6 6 0 1 0 7.300 7.300z" />,
  auto: (
    <path d="M13.800 8A5.800 5.800 0 1 1 2.200 8a5.800 5.800 0 0 1 11.600 0zM8 2.200v11.600M8 5h4.800M8 8h5.600M8 11h4.800" />
  ),
  columns: <path d="M2 3h12v10H2zM6 3v10M10 3v10" />,
  panel: <path d="M2 3h12v10H2zM9.800 3v10" />,
  open: <path d="M9 2.500h4.500V7M13.500 2.500 7.700 8.300M11.700 9.500v3.300H3.200V4.300h3.300" />,
  reveal: (
    <path d="M1.800 12V4.200C1.800 3.500 2.300 3 3 3h3l1.500 1.700H13c.7 0 1.200.5 1.200 1.200v1.600M11.500 10.800a2 2 0 1 1-4 0 2 2 0 0 1 4 0zM11 12.300l2 2" />
  ),
  copy: <path d="M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3" />,
  download: <path d="M8 2.200v7.600M4.700 6.700 8 10l3.300-3.300M2.500 13.500h11" />,
  database: (
    <path d="M13 4c0 1.200-2.200 2.100-5 2.100S3 5.200 3 4s2.200-2.100 5-2.100 5 .900 5 2.100zM3 4v8c0 1.200 2.200 2.100 5 2.100s5-.900 5-2.100V4M3 8c0 1.200 2.200 2.100 5 2.100S13 9.200 13 8" />
  ),
  up: <path d="M4 9.700 8 5.700l4 4" />,
  down: <path d="M4 6.300l4 4 4-4" />,
  chevron: <path d="M6.300 4l4 4-4 4" />,
  forget: <path d="M3 4.500h10M6 4.500V2.700h4v1.800M4.300 4.500l.6 9h6.200l.6-9" />,
} as const

export type IconName = keyof typeof SHAPES

export function IconShapes() {
  return (
    <svg className="unseen" aria-hidden="true">
      {Object.entries(SHAPES).map(([name, shape]) => (
        <symbol key={name} id={`icon-${name}`} viewBox="0 0 16 16">
          {shape}
        </symbol>
      ))}
    </svg>
  )
}

export function Icon({ name, className }: { readonly name: IconName; readonly className?: string }) {
  return (
    <svg className={`icon ${className ?? ''}`} aria-hidden="true">
      <use href={`#icon-${name}`} />
    </svg>
  )
}
