/** What a Sparkplug aware broker keeps: the birth certificates of edge nodes and devices [Sparkplug 3.0 §10.2]. */

/** Group, edge node, and the device of a DBIRTH. */
const BIRTH = /^spBv1\.0\/[^/]*\/(NBIRTH\/[^/]*|DBIRTH\/[^/]*\/[^/]*)$/;

/** Where the birth certificate that is published to `topicName` is kept as a retained message; null: it is none. */
export function certificateTopicOf(topicName: string): string | null {
  return BIRTH.test(topicName) ? `$sparkplug/certificates/${topicName}` : null;
}
