// What travels between the box and the page: package ui/api of the box says what each means.

export interface Count { up: number; of: number }

export interface Status {
  version: string
  board: string
  boot: number
  started: string
  site: string
  timezone: string
  config: number
  calls: number
  lines: Count
  phones: Count
  agents: Count
  disk: { free_bytes: number; total_bytes: number; reserve_bytes?: number; stalled_since?: string; failing?: string }
  prompts: 'present' | 'tones'
}

export type Direction = 'inbound' | 'outbound' | 'internal'
export type Phase = 'began' | 'flow' | 'waiting' | 'ringing' | 'talking' | 'holding' | 'parked'

export interface Call {
  id: string
  direction: Direction
  from: string
  to: string
  name?: string
  line: string
  state: Phase
  queue?: string
  agent?: string
  began: string
  since: string
  recorded: boolean
  legs: { id: string; line: string; number: string; agent?: string; state: string }[]
}

export interface Line { name: string; kind: string; slot?: string; number?: string; up: boolean; why?: string; why_zh?: string; since?: string; legs: number }

export type Presence =
  | 'signed_out' | 'ready' | 'not_ready' | 'reserved' | 'ringing' | 'talking' | 'holding' | 'wrap_up' | 'dialing' | 'unreachable'

export interface Agent {
  number: string
  name: string
  state: Presence
  reason?: string
  extension?: string
  call?: string
  since?: string
  until?: string
}

export interface Queue { name: string; waiting: number; waiting_since?: string; agents: number; ready: number }
export interface Phone { extension: string; name: string; up: boolean }

export interface Caller {
  id: string
  called: boolean
  number: string
  line: string
  state: 'dialled' | 'ringing' | 'answered' | 'ended'
  began: string
  answered?: string
  ended?: string
  by?: 'caller' | 'called' | 'network'
  cause?: string
}

export interface Happening { seq: number; at: string; kind: string; call?: string; en: string; zh: string }

export interface Picture {
  seq: number
  now: string
  status: Status
  calls: Call[]
  lines: Line[]
  agents: Agent[]
  queues: Queue[]
  phones: Phone[]
  outside?: Caller[]
  facts?: Happening[]
  records: number
}

export interface Items<T> { put?: T[]; order: string[] }

export interface Change {
  seq: number
  now: string
  status?: Status
  calls?: Items<Call>
  lines?: Items<Line>
  agents?: Items<Agent>
  queues?: Items<Queue>
  phones?: Items<Phone>
  outside?: Items<Caller>
  facts?: Happening[]
  records?: number
}

export const outcomes = ['answered', 'abandoned', 'no_answer', 'busy', 'unreachable', 'failed', 'service', 'restarted'] as const
export type Outcome = (typeof outcomes)[number]

export interface Brief {
  no: number
  call: string
  direction: Direction
  from: string
  to: string
  name?: string
  extension?: string
  agent?: string
  queue?: string
  line: string
  began: string
  ended: string
  outcome: Outcome
  wait_ms: number
  talk_ms: number
  total_ms: number
  recorded: boolean
}

export interface Found { rows: Brief[]; before: number }

export interface Recording { file: string; started: string; left: string; right: string; why?: string }

export interface Told extends Brief {
  cause: string
  ended_by: 'caller' | 'callee' | 'system'
  hold_ms: number
  story: { at?: string; words: string }[]
  summary: string
  recordings: Recording[]
}

export interface Message {
  no: number
  at: string
  out: boolean
  local: string
  remote: string
  what: string
  why?: string
  sdp?: string
  party: number
  again?: boolean
  text: string
}
export interface Ladder { call: string; parties: { peer: string; address: string }[]; messages: Message[] }

export interface Wave { seconds: number; rate: number; left: number[]; right?: number[] }

export interface Version { number: number; who: string; at: string }
export interface Difference { path: string; old: string; new: string }
export interface Fault { path: string; what: string; cure?: string; what_zh?: string; cure_zh?: string; line?: number; warning?: boolean }
export interface Applied { version: number; later?: string[]; warnings?: Fault[] }

export interface Problem { status: number; detail: string; cure?: string; detail_zh?: string; cure_zh?: string; faults?: Fault[] }
