/** Every name that a query may put before a colon, by each of its spellings. */

/** Change how what follows is matched. */
export const MODIFIERS = [
  'case',
  'nocase',
  'diacritics',
  'nodiacritics',
  'ascii',
  'utf8',
  'path',
  'nopath',
  'wholefilename',
  'nowholefilename',
  'wholeword',
  'nowholeword',
  'wildcards',
  'nowildcards',
  'regex',
  'noregex',
  'fuzzy',
  'nofuzzy',
] as const
export type ModifierName = (typeof MODIFIERS)[number]

/** Extensions behind the macros that stand for a kind of file, as people who search for one mean it. */
export const FILE_CLASSES = {
  audio:
    'aac;ac3;aif;aifc;aiff;amr;ape;au;cda;dts;flac;m1a;m2a;m3u;m3u8;m4a;m4b;m4p;mid;midi;mka;mp1;mp2;mp3;mpa;mpc;oga;ogg;opus;ra;rmi;snd;spc;tta;voc;wav;weba;wma;wv;xm',
  video:
    '3g2;3gp;3gp2;3gpp;amv;asf;avi;bik;divx;drc;dv;f4v;flv;gvi;gxf;ifo;m1v;m2p;m2t;m2ts;m2v;m4v;mkv;mov;mp2v;mp4;mp4v;mpe;mpeg;mpg;mpv2;mts;mxf;nsv;ogm;ogv;qt;rm;rmvb;swf;ts;vob;webm;wm;wmv;xesc',
  pic: 'ai;ani;arw;avif;bmp;cr2;cr3;cur;dng;eps;gif;heic;heif;ico;jfif;jpe;jpeg;jpg;jxl;nef;orf;pcx;png;psd;raf;raw;rw2;svg;svgz;tga;tif;tiff;webp;wmf;xcf',
  doc: 'c;chm;cpp;csv;cxx;doc;docm;docx;dot;dotm;dotx;epub;h;hpp;htm;html;hxx;ini;java;lua;md;mht;mhtml;mobi;odg;odp;ods;odt;org;pdf;potm;potx;ppam;pps;ppsm;ppsx;ppt;pptm;pptx;rst;rtf;sldm;sldx;tex;thmx;txt;vsd;vsdx;wpd;wps;wri;xlam;xls;xlsb;xlsm;xlsx;xltm;xltx;xml',
  exe: 'appimage;bat;cmd;com;cpl;exe;msi;msp;pif;ps1;run;scr;sh',
  zip: '7z;ace;apk;arj;br;bz2;cab;deb;gz;gzip;iso;jar;lz;lz4;lzh;lzma;r00;r01;r02;r03;rar;rpm;tar;tbz2;tgz;txz;tzst;war;xz;z;zip;zst',
  code: 'asm;astro;awk;bash;c;cc;clj;cljs;cmake;coffee;cpp;cs;css;cu;cxx;d;dart;el;elm;erl;ex;exs;f90;fish;fs;fsx;go;gradle;graphql;groovy;h;hh;hpp;hs;htm;html;hxx;inl;ipynb;java;jl;js;json;jsx;kt;kts;less;lisp;lua;m;mjs;ml;mli;mm;nim;nix;pas;php;pl;pm;proto;ps1;py;pyi;r;rb;rs;sass;scala;scss;sh;sql;svelte;swift;tcl;tex;toml;ts;tsx;v;vb;vhd;vhdl;vim;vue;wat;xml;yaml;yml;zig;zsh',
} as const
export type FileClass = keyof typeof FILE_CLASSES

/** Conditions that need no value. They stand alone, or before something that must hold too. */
export const CONDITIONS = [
  'file',
  'folder',
  'empty',
  'root',
  'dupe',
  'sizedupe',
  'audio',
  'video',
  'pic',
  'doc',
  'exe',
  'zip',
  'code',
] as const
export type ConditionName = (typeof CONDITIONS)[number]

export const FUNCTIONS = [
  'ext',
  'size',
  'datemodified',
  'datecreated',
  'dateaccessed',
  'recentchange',
  'daterun',
  'runcount',
  'under',
  'parent',
  'child',
  'childcount',
  'childfilecount',
  'childfoldercount',
  'startwith',
  'endwith',
  'len',
  'depth',
  'attributes',
  'type',
  'volume',
  'in',
  'table',
  'count',
] as const
export type FunctionName = (typeof FUNCTIONS)[number]

/** Characters that have a meaning of their own, by name; `#65:` and `#x41:` name any character by its number. */
export const CHARACTER_NAMES = { quot: '"', apos: "'", amp: '&', lt: '<', gt: '>' } as const

type FullName = ModifierName | ConditionName | FunctionName

const ALIASES: Readonly<Record<string, FullName>> = {
  wfn: 'wholefilename',
  nowfn: 'nowholefilename',
  ww: 'wholeword',
  noww: 'nowholeword',
  files: 'file',
  folders: 'folder',
  dm: 'datemodified',
  dc: 'datecreated',
  da: 'dateaccessed',
  rc: 'recentchange',
  dr: 'daterun',
  infolder: 'parent',
  nosubfolders: 'parent',
  parents: 'depth',
  startswith: 'startwith',
  endswith: 'endwith',
  attrib: 'attributes',
}

/** All names that may stand before a colon, sorted. */
export const KNOWN_NAMES: readonly string[] = [
  ...MODIFIERS,
  ...CONDITIONS,
  ...FUNCTIONS,
  ...Object.keys(CHARACTER_NAMES),
  ...Object.keys(ALIASES),
].sort()

const modifiers: ReadonlySet<string> = new Set(MODIFIERS)
const conditions: ReadonlySet<string> = new Set(CONDITIONS)
const functions: ReadonlySet<string> = new Set(FUNCTIONS)

/** The full name behind a name as written (in any case), or undefined. */
export function fullName(written: string): FullName | undefined {
  const name = written.toLowerCase()
  const full = Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name
  return isModifier(full) || isCondition(full) || isFunction(full) ? full : undefined
}

export function isModifier(name: string): name is ModifierName {
  return modifiers.has(name)
}

export function isCondition(name: string): name is ConditionName {
  return conditions.has(name)
}

export function isFunction(name: string): name is FunctionName {
  return functions.has(name)
}

const COMPARING: ReadonlySet<FunctionName> = new Set([
  'size',
  'datemodified',
  'datecreated',
  'dateaccessed',
  'recentchange',
  'childcount',
  'childfilecount',
  'childfoldercount',
  'daterun',
  'runcount',
  'len',
  'depth',
] as const)

/** True if the argument may begin with `<`, `<=`, `>` or `>=`, which would otherwise be a group. */
export function takesComparator(name: FunctionName): boolean {
  return COMPARING.has(name)
}

const MATCHING: ReadonlySet<FunctionName> = new Set(['startwith', 'endwith', 'child'] as const)

/** True if the argument is text that is matched as terms are, so that after `regex:` it is a pattern. */
export function takesPattern(name: FunctionName): boolean {
  return MATCHING.has(name)
}
