// Rules, clients and topics whose outcome must be mosquitto's: an ACL file, and what each client may then do.

/** One client at one topic under the rules of one file. */
export interface AclSituation {
  /** null: anonymous. */
  readonly username: string | null;
  readonly clientId: string;
  readonly topicName: string;
}

export interface AclWorld {
  readonly title: string;
  readonly acl: string;
  readonly situations: readonly AclSituation[];
}

type Row = readonly [username: string | null, clientId: string, ...topicNames: string[]];

function world(title: string, acl: string, ...rows: readonly Row[]): AclWorld {
  const situations = rows.flatMap(([username, clientId, ...topicNames]) =>
    topicNames.map((topicName) => ({ username, clientId, topicName })),
  );
  return { title, acl, situations };
}

/** Each situation is played for reading, and for writing at QoS 0 and 1. */
export const WORLDS: readonly AclWorld[] = [
  world(
    "users and the anonymous section",
    `topic read public/#
topic write drop/box
user alice
topic home/#
topic read weather/+/now
user bob
topic write home/+/set
`,
    [null, "a0", "public", "public/x", "public/x/y", "drop/box", "drop/box/x", "home/x", "$other/x"],
    ["alice", "a1", "public/x", "home", "home/x", "weather/oslo/now", "weather/now", "weather/oslo/now/x", "drop/box"],
    ["bob", "a2", "home/x/set", "home/set", "home/x/y/set", "home/x", "public/x"],
    ["carol", "a3", "public/x", "home/x", "drop/box"],
  ),
  world(
    "deny wins within a section, whatever its place",
    `user alice
topic readwrite a/#
topic deny a/secret/#
topic read a/secret/open
topic deny b
topic b
user bob
topic deny #
topic a/x
`,
    ["alice", "d1", "a/x", "a/secret", "a/secret/x", "a/secret/open", "a", "b", "b/x"],
    ["bob", "d2", "a/x", "b", "$other"],
  ),
  world(
    "patterns with names, after the user's lines",
    `pattern readwrite own/%u/#
pattern write in/%c/+
pattern read out/%c
pattern deny own/%u/locked
pattern all/%u/%c/x
topic anonymous/only
user alice
topic extra/#
topic deny own/alice/mine
topic own/alice/locked
`,
    [
      "alice",
      "p1",
      "own/alice",
      "own/alice/x",
      "own/bob/x",
      "own/alice/locked",
      "own/alice/mine",
      "extra/x",
      "in/p1/x",
    ],
    [
      "bob",
      "p2",
      "own/bob/x",
      "own/bob/locked",
      "own/alice/x",
      "in/p2/x",
      "in/p1/x",
      "in/p2",
      "out/p2",
      "out/p1",
      "all/bob/p2/x",
    ],
    [null, "p3", "own//x", "own/%u/x", "in/p3/x", "out/p3", "anonymous/only"],
  ),
  world(
    "names that would be wildcards",
    `pattern readwrite own/%u/#
pattern readwrite id/%c
user #
topic plain/x
user +
topic plain/y
`,
    ["#", "n1", "own/x", "own", "plain/x", "id/n1"],
    ["+", "n2", "own/x", "plain/y", "id/n2"],
    ["dave", "n+3", "own/dave/x", "id/x"],
    ["eve", "#", "own/eve/x", "id/x"],
  ),
  world(
    "wildcards and topics that begin with $",
    `user alice
topic #
user bob
topic read $SYS/broker/version
topic +/x
user carol
topic $own/#
`,
    ["alice", "s1", "x", "a/b/c", "/", "/x", "$own/x", "$SYS/broker/version"],
    ["bob", "s2", "a/x", "/x", "$own/x", "x", "$SYS/broker/version"],
    ["carol", "s3", "$own", "$own/x", "own/x"],
  ),
  world(
    "odd but valid lines",
    `# comment

topic   readwrite   spaced/topic
   topic indented/#
user  alice smith
topic read with space/x
topic readwrite trailing/x   
`,
    [null, "o1", "spaced/topic", "indented/x", "with space/x"],
    ["alice smith", "o2", "with space/x", "trailing/x", "indented/x"],
    ["alice", "o3", "with space/x", "indented/x"],
  ),
  world("nothing but comments", "# nobody may do anything\n", [null, "e1", "a"], ["alice", "e2", "a"]),
];
