// Times and lengths of time as people read them, in the time zone of the site.
import { live } from './live.svelte'
import { prefs } from './prefs.svelte'

/** span is 0:07, 12:34 or 1:02:03. */
export function span(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  const minutes = Math.floor(s / 60) % 60
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`
}

/** since is how long ago a time of the box was; '' where there is none. */
export function since(at: string | undefined): string {
  return at ? span(live.now - Date.parse(at)) : ''
}

const made = new Map<string, Intl.DateTimeFormat>()

function formatter(style: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const zone = live.status?.timezone ?? 'UTC'
  const key = style + prefs.lang + zone
  let f = made.get(key)
  if (!f) {
    f = new Intl.DateTimeFormat(prefs.lang === 'en' ? 'en-GB' : prefs.lang, { ...options, timeZone: zone })
    made.set(key, f)
  }
  return f
}

/** clock is 15:04:05. */
export function clock(at: string): string {
  return formatter('clock', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(Date.parse(at))
}

/** day is 31 Jan 2026, or its like. */
export function day(at: string): string {
  return formatter('day', { day: 'numeric', month: 'short', year: 'numeric' }).format(Date.parse(at))
}

export function gigabytes(bytes: number): string {
  const gb = bytes / 1e9
  return (gb >= 10 ? Math.round(gb) : gb.toFixed(1)) + ' GB'
}
