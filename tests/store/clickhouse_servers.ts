/** Two ClickHouse servers on loopback that are one cluster. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import process from "node:process";

/** Time in which servers have to answer. */
const START_MS = 60_000;

/** The program; `undefined` where it is not installed. */
export function serverProgram(): string | undefined {
  return [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/bin"]
    .map((folder) => join(folder, "clickhouse-server")).find((path) => existsSync(path));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Servers that run, and are ended when they are disposed. */
export class ClickHouseServers implements AsyncDisposable {
  /** Address of a database of the cluster. */
  readonly address: string;
  readonly ports: readonly number[];
  readonly #children: readonly ChildProcess[];

  private constructor(ports: readonly number[], children: readonly ChildProcess[]) {
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join();
    this.address = `clickhouse://${hosts}/kernelcov?cluster=two`;
    this.ports = ports;
    this.#children = children;
  }

  static async start(program: string, folder: string): Promise<ClickHouseServers> {
    const ports: [http: number, tcp: number, between: number][] = [];
    for (let server = 0; server < 2; server++) {
      ports.push([await freePort(), await freePort(), await freePort()]);
    }
    const shards = ports.map(([, tcp]) =>
      `<shard><replica><host>127.0.0.1</host><port>${tcp}</port></replica></shard>`
    ).join("");
    const children = ports.map(([http, tcp, between], server) => {
      const own = join(folder, `server${server}`);
      mkdirSync(join(own, "data"), { recursive: true });
      mkdirSync(join(own, "tmp"));
      writeFileSync(
        join(own, "users.xml"),
        "<yandex><profiles><default/></profiles><users><default><password/><networks><ip>127.0.0.1</ip></networks>" +
          "<profile>default</profile><quota>default</quota></default></users><quotas><default/></quotas></yandex>",
      );
      writeFileSync(
        join(own, "config.xml"),
        `<yandex><logger><level>warning</level><log>${own}/log</log><errorlog>${own}/errors</errorlog></logger>` +
          `<http_port>${http}</http_port><tcp_port>${tcp}</tcp_port><interserver_http_port>${between}</interserver_http_port>` +
          `<listen_host>127.0.0.1</listen_host><mark_cache_size>67108864</mark_cache_size><path>${own}/data/</path>` +
          `<tmp_path>${own}/tmp/</tmp_path><users_config>${own}/users.xml</users_config>` +
          `<default_profile>default</default_profile><default_database>default</default_database>` +
          `<remote_servers><two>${shards}</two></remote_servers></yandex>`,
      );
      return spawn(program, [`--config-file=${own}/config.xml`], { stdio: "ignore" });
    });
    const servers = new ClickHouseServers(ports.map(([http]) => http), children);
    try {
      await servers.#answer(folder);
    } catch (error) {
      await servers[Symbol.asyncDispose]();
      throw error;
    }
    return servers;
  }

  async #answer(folder: string): Promise<void> {
    const end = performance.now() + START_MS;
    for (const [server, port] of this.ports.entries()) {
      while (
        !await fetch(`http://127.0.0.1:${port}/ping`).then((answer) => answer.ok, () => false)
      ) {
        const child = this.#children[server];
        if (performance.now() > end || child.exitCode !== null || child.signalCode !== null) {
          const errors = join(folder, `server${server}/errors`);
          const said = existsSync(errors) ? readFileSync(errors, "utf8").slice(0, 2000) : "";
          throw new TypeError(`clickhouse-server does not answer: ${said}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** What one of the servers answers to a query. */
  async ask(server: number, query: string): Promise<string> {
    const url = `http://127.0.0.1:${this.ports[server]}/`;
    return (await (await fetch(url, { method: "POST", body: query })).text()).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }));
  }
}
