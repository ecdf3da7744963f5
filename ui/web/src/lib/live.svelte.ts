// The live picture: one stream per tab. It begins with a snapshot, then changes come; after a cut
// it goes on where it was. A tab that nobody sees closes its stream, for a browser has only six
// connections to a box.
import type { Agent, Call, Caller, Change, Happening, Items, Line, Phone, Picture, Queue, Status } from './types'

type Link = 'connecting' | 'live' | 'lost' | 'full'

const keptFacts = 60
const silence = 40_000 // ms; the box says that it is alive every 15 s
const pauseHidden = 10_000 // ms

class Live {
  link = $state<Link>('connecting')
  /** now is the box's clock, moved every second. */
  now = $state(Date.now())
  status = $state.raw<Status | null>(null)
  calls = $state.raw<Call[]>([])
  lines = $state.raw<Line[]>([])
  agents = $state.raw<Agent[]>([])
  queues = $state.raw<Queue[]>([])
  phones = $state.raw<Phone[]>([])
  outside = $state.raw<Caller[]>([])
  facts = $state.raw<Happening[]>([])
  records = $state(0)

  #stream: EventSource | null = null
  #last = ''
  #ahead = 0 // of the box's clock before this machine's, in ms
  #heard = 0
  #again: ReturnType<typeof setTimeout> | undefined
  #hide: ReturnType<typeof setTimeout> | undefined

  /** start follows the box until the function that it returns is called. */
  start(): () => void {
    const tick = setInterval(() => this.#tick(), 1000)
    const seen = () => this.#seen()
    document.addEventListener('visibilitychange', seen)
    this.#open()
    return () => {
      clearInterval(tick)
      clearTimeout(this.#again)
      clearTimeout(this.#hide)
      document.removeEventListener('visibilitychange', seen)
      this.#stream?.close()
    }
  }

  agentName(number: string | undefined): string {
    return (number && this.agents.find((a) => a.number === number)?.name) || number || ''
  }

  #tick() {
    this.now = Date.now() + this.#ahead
    if (this.#stream && this.link === 'live' && Date.now() - this.#heard > silence) {
      this.link = 'lost'
      this.#open()
    }
  }

  #seen() {
    clearTimeout(this.#hide)
    if (!document.hidden) {
      if (!this.#stream) this.#open()
      return
    }
    this.#hide = setTimeout(() => {
      this.#stream?.close()
      this.#stream = null
    }, pauseHidden)
  }

  #open() {
    clearTimeout(this.#again)
    this.#stream?.close()
    const stream = new EventSource('api/v1/live' + (this.#last && '?last=' + encodeURIComponent(this.#last)))
    this.#stream = stream
    this.#heard = Date.now()
    stream.addEventListener('open', () => (this.link = 'live'))
    stream.addEventListener('snapshot', (e) => this.#take(e, (data: Picture) => this.#begin(data)))
    stream.addEventListener('change', (e) => this.#take(e, (data: Change) => this.#change(data)))
    stream.addEventListener('alive', (e) => this.#take(e, () => {}))
    stream.addEventListener('error', () => void this.#failed(stream))
  }

  #take<T extends { now: string }>(e: MessageEvent<string>, use: (data: T) => void) {
    const data = JSON.parse(e.data) as T
    this.#heard = Date.now()
    this.#ahead = Date.parse(data.now) - this.#heard
    this.link = 'live'
    if (e.lastEventId) this.#last = e.lastEventId
    use(data)
    this.now = Date.now() + this.#ahead
  }

  // The browser connects again by itself after a cut; after a refusal it does not.
  async #failed(stream: EventSource) {
    if (stream !== this.#stream) return
    this.link = 'lost'
    if (stream.readyState !== EventSource.CLOSED) return
    const answer = await fetch('api/v1/status').catch(() => null)
    if (stream !== this.#stream) return
    if (answer?.ok) this.link = 'full'
    this.#again = setTimeout(() => this.#open(), answer?.ok ? 15_000 : 3_000)
  }

  #begin(p: Picture) {
    this.status = p.status
    this.calls = p.calls
    this.lines = p.lines
    this.agents = p.agents
    this.queues = p.queues
    this.phones = p.phones
    this.outside = p.outside ?? []
    this.facts = p.facts ?? []
    this.records = p.records
  }

  #change(c: Change) {
    if (c.status) this.status = c.status
    this.calls = applied(this.calls, c.calls, (v) => v.id)
    this.lines = applied(this.lines, c.lines, (v) => v.name)
    this.agents = applied(this.agents, c.agents, (v) => v.number)
    this.queues = applied(this.queues, c.queues, (v) => v.name)
    this.phones = applied(this.phones, c.phones, (v) => v.extension)
    this.outside = applied(this.outside, c.outside, (v) => v.id)
    if (c.facts) this.facts = [...this.facts, ...c.facts].slice(-keptFacts)
    if (c.records) this.records = c.records
  }
}

/** applied is list with the change made; what did not change stays the same object. */
function applied<T>(list: T[], change: Items<T> | undefined, key: (item: T) => string): T[] {
  if (!change) return list
  const all = new Map(list.map((item) => [key(item), item]))
  for (const item of change.put ?? []) all.set(key(item), item)
  return change.order.map((k) => all.get(k)).filter((item) => item !== undefined)
}

export const live = new Live()
