// Who may come in and what they may do: password files, ACL files, both ways of per_listener_settings, and a reload.
import { WireClient } from "../../support/wire-client.ts";
import { ours, saysWhy } from "../difference.ts";
import type { Setting, Situation, Stage } from "../situation.ts";

/** ann: "secret", bob: "hidden", made by mosquitto_passwd; empty: nothing at all, which it does not make. */
const PASSWORDS = `ann:$7$101$8M5+QRRpvx3cFTaL$uCo+oxtzlb+ORHeXDafyG6P8DN4x8Fv1MKn1gq6AsR6700KUrOkgGikbMC0V+ZuooNk90fHC0UUTE8bVyQLZ6Q==
bob:$7$101$DD24vhyB5qABAA/e$Ie5AJxHA0nbI39yHJ9+L8sB2LbFCbfoEORWG+0SGhDZw9JSyw0+n7wjuShUystwxOFa1cjVb8HHK5xdLEH70fA==
empty:$6$o+53eGXtmlfHeYrg$FY7X9DNQ4uU1j0NiPmGOOSU05ZSzhqNmNhXIof/0nLpVb1zDhcRHdaC72E3YryH7dtTiG/r6jH6C8J+30cZBgA==
`;
const ACL = `topic read public/#
user ann
topic readwrite home/#
topic deny home/cellar
topic write $SYS/#
pattern write in/%c/%u
`;
/** ann may not write to home any more. */
const REVOKED_ACL = `user ann
topic read home/#
pattern write in/%c/%u
user bob
topic readwrite #
`;
const ANN = { username: "ann", password: "secret" };

/** What ann and bob have retained, by a PUBLISH or a will, once neither may write there: a reload sees to that. */
async function playRevoked(stage: Stage): Promise<void> {
  const bob = { username: "bob", password: "hidden" };
  const writer = await stage.connect("writer", { version: 5, clientId: "writer", ...ANN });
  for (const topicName of ["home/kept", "in/writer/ann"])
    await writer.publish(topicName, "x", { qos: 1, retain: true });
  const will = { topicName: "home/will", retain: true };
  const dying = await stage.connect("dying", { version: 5, clientId: "dying", ...ANN, will });
  await dying.drop();
  stage.broker.write("rules", REVOKED_ACL);
  // Whoever is let in now shows that the reload is in force.
  stage.broker.write(
    "users",
    PASSWORDS.replace("empty:", "# ") + PASSWORDS.split("\n", 1)[0]?.replace("ann:", "probe:"),
  );
  stage.broker.signal("SIGHUP");
  while ((await WireClient.reasonCode(stage.to(), "probe", { ...ANN, username: "probe" })) !== 0);
  const reader = await stage.connect("reader", { version: 5, clientId: "reader", ...bob });
  await reader.subscribe("#", { qos: 1 });
  // Whoever may write there makes it good.
  await reader.publish("home/kept", "of bob", { qos: 1, retain: true });
  const later = await stage.connect("later", { version: 5, clientId: "later", ...bob });
  await later.subscribe("#", { qos: 1 });
  stage.broker.write("rules", ACL);
  stage.broker.write("users", PASSWORDS);
  stage.broker.signal("SIGHUP");
}

/** A CONNECT by each version. */
function credentials(
  name: string,
  options: { readonly username?: string; readonly password?: string },
  at?: string,
): Situation {
  return {
    name,
    play: async (stage) => {
      for (const version of [3, 4, 5] as const)
        await stage.connect(`version ${version}`, {
          version,
          clientId: `${name} ${version}`,
          ...(at && { at }),
          ...options,
        });
    },
  };
}

/** Waits until ann is let in, or not: a reload is in force some time after its signal. */
async function annIs(stage: Stage, code: number, password: string): Promise<void> {
  while ((await WireClient.reasonCode(stage.to(), "probe", { username: "ann", password })) !== code);
}

export const USERS: Setting = {
  title: "users and rules",
  lines: ["listener @main 127.0.0.1", "allow_anonymous false", "password_file FOLDER/users", "acl_file FOLDER/rules"],
  files: { users: PASSWORDS, rules: ACL },
  situations: [
    credentials("the right password", ANN),
    credentials("a wrong password", { ...ANN, password: "wrong" }),
    credentials("an empty password", { ...ANN, password: "" }),
    credentials("an empty password, where the file has the hash of one", { username: "empty", password: "" }),
    credentials("no password", { username: "ann" }),
    credentials("an unknown user", { username: "eve", password: "secret" }),
    credentials("an empty user name", { username: "", password: "secret" }),
    credentials("nobody", {}),
    ...([4, 5] as const).map(
      (version): Situation => ({
        name: `rules: version ${version}`,
        play: async (stage) => {
          const reader = await stage.connect("reader", { version, clientId: `reader ${version}`, ...ANN });
          await reader.subscribe(["home/#", "secret/#", "in/#", "public/a"], { qos: 0 });
          const writer = await stage.connect("writer", { version, clientId: `writer ${version}`, ...ANN });
          for (const topicName of [
            "home/a",
            "home/cellar",
            "secret/a",
            `in/writer ${version}/ann`,
            "public/a",
            "$SYS/a",
          ])
            for (const qos of [0, 1, 2] as const) await writer.publish(topicName, `at ${qos}`, { qos });
        },
      }),
    ),
    {
      name: "a will that may not be written",
      play: async (stage) => {
        const heir = await stage.connect("heir", { clientId: "heir", ...ANN });
        await heir.subscribe("home/#");
        for (const topicName of ["home/cellar", "home/attic"]) {
          const client = await stage.connect(topicName, {
            clientId: `dying at ${topicName}`,
            ...ANN,
            will: { topicName },
          });
          await client.drop();
        }
        await heir.packets(1);
      },
    },
    {
      name: "SIGHUP after a new password and another rule",
      play: async (stage) => {
        const before = await stage.connect("before", { version: 5, clientId: "before", ...ANN });
        await before.publish("home/garden", "x", { qos: 1 });
        await before.disconnect();
        stage.broker.write("rules", ACL.replace("readwrite home/#", "readwrite house/#"));
        stage.broker.write("users", PASSWORDS.replace("ann:", "eve:").replace("bob:", "ann:"));
        stage.broker.signal("SIGHUP");
        await annIs(stage, 0, "hidden");
        const after = await stage.connect("after", {
          version: 5,
          clientId: "after",
          username: "ann",
          password: "hidden",
        });
        await after.publish("home/garden", "x", { qos: 1 });
        await after.publish("house/garden", "x", { qos: 1 });
        await stage.connect("old password", { clientId: "old password", ...ANN });
        stage.broker.write("rules", ACL);
        stage.broker.write("users", PASSWORDS);
        stage.broker.signal("SIGHUP");
        await annIs(stage, 0, "secret");
      },
      differs: ours("A client that a reload locks out", saysWhy("0x87", "after")),
    },
  ],
};

export const PER_LISTENER: Setting = {
  title: "per_listener_settings true",
  lines: [
    "per_listener_settings true",
    "listener @main 127.0.0.1",
    "allow_anonymous true",
    "auto_id_prefix open-",
    "listener @guarded 127.0.0.1",
    "password_file FOLDER/users",
    "allow_zero_length_clientid false",
    "listener @ruled 127.0.0.1",
    "allow_anonymous true",
    "acl_file FOLDER/rules",
    "listener @shut 127.0.0.1",
  ],
  files: { users: PASSWORDS, rules: ACL },
  situations: [
    credentials("anybody, where anybody may come in", {}),
    credentials("any name, where anybody may come in", { username: "eve", password: "x" }),
    credentials("nobody at the listener with passwords", {}, "guarded"),
    credentials("the right password there", ANN, "guarded"),
    credentials("a wrong password there", { ...ANN, password: "wrong" }, "guarded"),
    credentials("nobody at a listener that says nothing", {}, "shut"),
    credentials("a name at a listener that says nothing", ANN, "shut"),
    {
      name: "auto_id_prefix and allow_zero_length_clientid of each listener",
      play: async (stage) => {
        for (const at of ["main", "guarded", "ruled"])
          await stage.connect(at, { version: 5, at, clientId: "", ...ANN });
      },
    },
    {
      name: "the rules of one listener, and none at another",
      play: async (stage) => {
        const ruled = await stage.connect("ruled", { version: 5, at: "ruled", clientId: "ruled", username: "ann" });
        const free = await stage.connect("free", { version: 5, clientId: "free", username: "ann" });
        await ruled.subscribe(["home/a", "other/a"], { qos: 0 });
        await free.subscribe(["home/a", "other/a"], { qos: 0 });
        for (const client of [ruled, free])
          for (const topicName of ["home/a", "other/a"]) await client.publish(topicName, "x", { qos: 1 });
      },
    },
  ],
};

/** Debian's 2.0 looks at the source only where a line says so. */
export const RETAINED_FOR_SOME: Setting = {
  title: "retained messages of those who still have their rights",
  lines: [...USERS.lines, "check_retain_source true"],
  files: { users: PASSWORDS, rules: ACL },
  situations: [{ name: "check_retain_source true", play: playRevoked }],
};

export const RETAINED_FOR_ALL: Setting = {
  title: "retained messages, whoever lost their rights",
  lines: [...USERS.lines, "check_retain_source false"],
  files: { users: PASSWORDS, rules: ACL },
  situations: [{ name: "check_retain_source false", play: playRevoked }],
};
