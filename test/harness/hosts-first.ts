/** The order of the files of tests: those of several hosts, which take longest, are not left for the end, when the others are done. */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

export class HostsFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((one, other) => place(one) - place(other)))
  }
}

function place({ project }: TestSpecification): number {
  return project.name === 'hosts' ? 0 : 1
}
