import type { MarkedHit } from '@hotpath/client/browser'

export const FILE_TYPES = [
  'folder',
  'audio',
  'video',
  'picture',
  'document',
  'code',
  'archive',
  'executable',
  'link',
  'other',
] as const
export type FileType = (typeof FILE_TYPES)[number]

/** For signs alone: what the filters find is what the query language says. */
const EXTENSIONS: Readonly<Partial<Record<FileType, string>>> = {
  audio: 'aac aif aiff ape flac m3u m4a mid midi mka mp3 oga ogg opus wav wma',
  video: '3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg ogv vob webm wmv',
  picture: 'ai avif bmp cr2 dng gif heic heif ico jpeg jpg jxl nef png psd raw svg svgz tga tif tiff webp xcf',
  document:
    'chm csv doc docm docx dot epub ini log md mobi odp ods odt org pdf pps ppt pptx rst rtf tex txt xls xlsm xlsx',
  code: 'asm awk bash c cc clj cmake cpp cs css cxx d dart el ex exs f90 fs go gradle h hh hpp hs htm html ipynb java jl js json jsx kt less lisp lua m mjs ml nim nix php pl pm proto py r rb rs sass scala scss sql svelte swift tcl toml ts tsx vb vim vue wat xml yaml yml zig',
  archive: '7z apk bz2 cab deb dmg gz iso jar lz lz4 rar rpm tar tbz2 tgz txz war xz zip zst',
  executable: 'appimage bat cmd com dll elf exe msi ps1 run sh so',
}

const TYPE_OF = new Map(
  Object.entries(EXTENSIONS).flatMap(([type, all]) => all.split(' ').map(one => [one, type as FileType] as const)),
)

const LABELS: Readonly<Record<FileType, string>> = {
  folder: 'Folder',
  audio: 'Audio',
  video: 'Video',
  picture: 'Picture',
  document: 'Document',
  code: 'Source code',
  archive: 'Archive',
  executable: 'Program',
  link: 'Symbolic link',
  other: 'File',
}

/** What follows the last dot, in small letters; a dot in front begins no extension. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot <= 0 || dot === name.length - 1 ? '' : name.slice(dot + 1).toLowerCase()
}

export function fileTypeOf({ kind, name }: Pick<MarkedHit, 'kind' | 'name'>): FileType {
  if (kind === 'directory') return 'folder'
  if (kind === 'symlink') return 'link'
  if (kind === 'other') return 'other'
  return TYPE_OF.get(extensionOf(name)) ?? 'other'
}

export function typeLabel(type: FileType): string {
  return LABELS[type]
}
