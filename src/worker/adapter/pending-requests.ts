/**
 * Questions to the other servers of a namespace: who has been asked, who has answered, who never will. A question is
 * settled when everybody who was asked has answered or is gone, or at its deadline. Without I/O.
 */

export interface Answers {
  values: unknown[]
  /** Gone before they answered, or unable to. */
  missing: string[]
  /** Still there, but have not answered by the deadline. */
  late: string[]
}

/** Called once. With an error when the question could not be put, or nobody knows who was asked. */
export type AnswersListener = (answers: Answers, error?: Error) => void

interface Question {
  /** Before the receipt nobody knows. */
  asked: Set<string> | undefined
  /** Who has answered, or could not, before the receipt has come: that waits for the slowest host. */
  early: Set<string>
  gone: Set<string>
  answers: Answers
  listener: AnswersListener
  timer: NodeJS.Timeout
}

export class AdapterRequests {
  readonly #questions = new Map<string, Question>()
  readonly #maxOpen: number
  #lastId = 0

  constructor(maxOpen: number) {
    this.#maxOpen = maxOpen
  }

  get size(): number {
    return this.#questions.size
  }

  /** @returns the question's number, or `null` when too many are open (the listener has been told) */
  open(timeoutMs: number, listener: AnswersListener): string | null {
    if (this.#questions.size >= this.#maxOpen) {
      listener(noAnswers(), new Error('too many questions to the other servers are open'))
      return null
    }
    this.#lastId = (this.#lastId + 1) >>> 0
    const id = `q${this.#lastId}`
    const timer = setTimeout(() => this.#expire(id), timeoutMs)
    const question = { asked: undefined, early: new Set<string>(), gone: new Set<string>() }
    this.#questions.set(id, { ...question, answers: noAnswers(), listener, timer })
    return id
  }

  asked(id: string, workers: readonly string[]): void {
    const question = this.#questions.get(id)
    if (question === undefined) return
    question.asked = new Set(workers.filter((worker) => !question.early.has(worker)))
    for (const worker of question.gone)
      if (question.asked.delete(worker)) question.answers.missing.push(worker)
    this.#check(id, question)
  }

  answered(id: string, worker: string, value: unknown): void {
    const question = this.#questions.get(id)
    if (question === undefined || !strike(question, worker)) return
    question.answers.values.push(value)
    this.#check(id, question)
  }

  unable(id: string, worker: string): void {
    const question = this.#questions.get(id)
    if (question === undefined || !strike(question, worker)) return
    question.answers.missing.push(worker)
    this.#check(id, question)
  }

  /** Who is gone before the receipt has come may not have been asked: it is missed if it stands there. */
  gone(worker: string): void {
    for (const [id, question] of this.#questions) {
      if (question.asked === undefined) question.gone.add(worker)
      else this.unable(id, worker)
    }
  }

  fail(id: string, error: Error): void {
    this.#settle(id, error)
  }

  failAll(error: Error): void {
    for (const id of this.#questions.keys()) this.#settle(id, error)
  }

  /** The question has not been put after all: nobody is told. */
  withdraw(id: string): void {
    clearTimeout(this.#questions.get(id)?.timer)
    this.#questions.delete(id)
  }

  #check(id: string, question: Question): void {
    if (question.asked?.size === 0) this.#settle(id)
  }

  #expire(id: string): void {
    const question = this.#questions.get(id)
    if (question?.asked === undefined)
      return this.#settle(id, new Error('timeout reached: not every host has said whom it has asked'))
    question.answers.late.push(...question.asked)
    return this.#settle(id)
  }

  #settle(id: string, error?: Error): void {
    const question = this.#questions.get(id)
    if (question === undefined) return
    this.withdraw(id)
    question.listener(question.answers, error)
  }
}

function noAnswers(): Answers {
  return { values: [], missing: [], late: [] }
}

/** @returns false when nothing was, or is, to be heard from this worker */
function strike({ asked, early }: Question, worker: string): boolean {
  if (asked !== undefined) return asked.delete(worker)
  if (early.has(worker)) return false
  early.add(worker)
  return true
}
