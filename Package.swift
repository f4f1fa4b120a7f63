// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
// SQLite's own C interface, from the same system library that GRDB links.
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let nio: [Target.Dependency] = ["NIOCore", "NIOPosix", "NIOHTTP1"].map { .product(name: $0, package: "swift-nio") }
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
  name: "dagrun",
  products: [
    .library(name: "Dagrun", targets: ["Dagrun"]),
    .executable(name: "dagrun", targets: ["CLI"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // What a DAG file imports. Foundation only.
    .target(name: "Dagrun", swiftSettings: settings),
    // The nouns that all modules share: identities, results, states, records.
    .target(name: "Model", dependencies: ["Dagrun"], swiftSettings: settings),
    // The pure core: no clock, no I/O.
    .target(
      name: "Scheduling",
      dependencies: ["Dagrun", "Model", .product(name: "HeapModule", package: "swift-collections")],
      swiftSettings: settings),
    .target(name: "Storage", dependencies: ["Model", "Scheduling", grdb, sqlite], swiftSettings: settings),
    // Linux calls that Swift cannot import: pidfds, wait macros, prctl.
    .target(name: "CLinux"),
    .target(name: "Processes", dependencies: ["CLinux"], swiftSettings: settings),
    .systemLibrary(
      name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
    // What several modules would each write by hand: digests, backoff, pieces of UTF-8.
    .target(name: "Basics", dependencies: ["COpenSSL"], swiftSettings: settings),
    .target(name: "DagBag", dependencies: ["Basics", "Dagrun", "Processes"], swiftSettings: settings),
    // libcurl, loaded when the first request is sent: linking it would cost every command its thirty libraries.
    .target(name: "CCurl"),
    // Credentials, HTTP and the four services that jobs need. Knows nothing of DAGs or jobs.
    .target(
      name: "GoogleCloud", dependencies: ["Basics", "CCurl", "COpenSSL", "Processes", logging], swiftSettings: settings),
    // The shell scripts that a job's VM runs.
    .target(name: "CRunnerScript"),
    // A job's life on a VM that lives only for it. Usable without the engine.
    .target(
      name: "Clash",
      dependencies: ["Basics", "CRunnerScript", "Dagrun", "Model", "GoogleCloud", "Processes", "Yams", logging],
      exclude: ["Machine/Script"], swiftSettings: settings),
    // Jobs that a person or another scheduler asks for, each driven by a process of its own or by a server of many.
    .target(
      name: "JobControl", dependencies: ["Basics", "Dagrun", "Model", "Storage", "Clash", "GoogleCloud", "Processes"],
      swiftSettings: settings),
    // Google's services on loopback, with VMs that are process trees on this machine.
    .target(
      name: "CloudEmulator",
      dependencies: [
        "CLinux", "Processes", "COpenSSL", "Yams", logging, .product(name: "HeapModule", package: "swift-collections"),
      ] + nio,
      swiftSettings: settings),
    // The Python file by which Airflow runs dagrun's jobs and DAGs, and how it is put together.
    .target(name: "CAirflowPlugin"),
    .target(
      name: "AirflowPlugin", dependencies: ["CAirflowPlugin"], exclude: ["Python"], swiftSettings: settings),
    // What a try is given: its templates rendered, its context, its variables. Pure.
    .target(name: "Preparation", dependencies: ["Dagrun", "Model"], swiftSettings: settings),
    // The process that runs tasks, and the protocol between it and the engine.
    .target(name: "Workers", dependencies: ["Dagrun", "Model", "Preparation", "Processes"], swiftSettings: settings),
    // Where tries run: in workers of this machine, on machines of Compute Engine.
    .target(
      name: "Executors",
      dependencies: [
        "Basics", "Dagrun", "Model", "Storage", "Preparation", "Workers", "GoogleCloud", "Clash", "Processes", logging,
      ],
      swiftSettings: settings),
    // What a person or a program asks of the scheduler of a home, and the way to it.
    .target(name: "Control", dependencies: ["Dagrun", "Model", "Processes"], swiftSettings: settings),
    .target(
      name: "Engine",
      dependencies: [
        "Basics", "Control", "Dagrun", "Model", "Scheduling", "Storage", "DagBag", "Preparation", "Executors",
        "Workers", "Processes", logging,
      ],
      swiftSettings: settings),
    // What there is, in the shapes of Airflow's API; JSON, YAML, tables; logs while they grow.
    .target(
      name: "Presentation",
      dependencies: [
        "Basics", "Control", "Dagrun", "Model", "Scheduling", "Storage", "DagBag", "Processes", "Yams",
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "CLI",
      dependencies: [
        "Basics", "Control", "Dagrun", "Model", "Scheduling", "Storage", "DagBag", "Preparation", "Executors",
        "Presentation", "Workers", "GoogleCloud", "Clash", "JobControl", "CloudEmulator", "Engine", "AirflowPlugin",
        "Processes", argumentParser, "Yams", logging,
      ],
      swiftSettings: settings,
      // A compiled DAG file finds the authoring library's symbols in this executable, and no others. Only the
      // executable carries the flags, so that other packages can depend on the library.
      linkerSettings: [
        .unsafeFlags([
          "-Xlinker", "--export-dynamic", "-Xlinker",
          "--version-script=\(Context.packageDirectory)/scripts/exported-symbols",
        ])
      ]),

    // What the benchmarks of the whole command share.
    .target(
      name: "BenchmarkSupport", dependencies: ["Processes", grdb], path: "Benchmarks/Support", swiftSettings: settings),
    .executableTarget(
      name: "EngineBenchmark", dependencies: ["BenchmarkSupport", "Processes", grdb],
      path: "Benchmarks/EngineBenchmark", swiftSettings: settings),
    // What a job costs beside its machine, and what waiting jobs cost, against the emulator: one JSON line a figure.
    .executableTarget(
      name: "JobBenchmark", dependencies: ["BenchmarkSupport", "GoogleCloud", "Processes", grdb],
      path: "Benchmarks/JobBenchmark", swiftSettings: settings),
    .executableTarget(
      name: "StorageBenchmark", dependencies: ["Dagrun", "Model", "Scheduling", "Storage", grdb],
      path: "Benchmarks/StorageBenchmark", swiftSettings: settings),
    // Measures the scheduler alone, without storage: one JSON line a figure.
    .executableTarget(
      name: "CoreBenchmark", dependencies: ["Dagrun", "Model", "Scheduling"], path: "Benchmarks/CoreBenchmark",
      swiftSettings: settings),

    // What waiting for the cloud costs a process, against the emulator: one JSON line a figure.
    .executableTarget(
      name: "CloudBenchmark", dependencies: ["BenchmarkSupport", "GoogleCloud"], path: "Benchmarks/CloudBenchmark",
      swiftSettings: settings),

    // Seeded random input, and the numbers that programs go wrong at. Only for tests.
    .target(name: "FuzzSupport", path: "Tests/Support/FuzzSupport", swiftSettings: settings),
    // Waits for files, woken by the kernel. Only for tests.
    .target(
      name: "WaitSupport", dependencies: ["Processes"], path: "Tests/Support/WaitSupport", swiftSettings: settings),
    // The database as plain values, with all its guards. Only for tests.
    .target(
      name: "ModelDatabase", dependencies: ["Dagrun", "Model", "Scheduling"], path: "Tests/Support/ModelDatabase",
      swiftSettings: settings),
    // An engine without processes, files and waits.
    .target(
      name: "EngineSupport",
      dependencies: ["DagBag", "Dagrun", "Engine", "Executors", "Model", "Preparation", "Processes"],
      path: "Tests/Support/EngineSupport", swiftSettings: settings),
    .testTarget(name: "BasicsTests", dependencies: ["Basics"], swiftSettings: settings),
    .testTarget(name: "DagrunTests", dependencies: ["Dagrun", "FuzzSupport", "Processes"], swiftSettings: settings),
    // Answers the questions of Tests/AirflowTests/test_scheduling.py, which asks Airflow the same.
    .executableTarget(
      name: "DecisionFixture", dependencies: ["Dagrun", "Model", "Scheduling"], path: "Tests/DecisionFixture",
      swiftSettings: settings),
    .testTarget(
      name: "SchedulingTests", dependencies: ["Model", "ModelDatabase", "Scheduling", "FuzzSupport", "Processes"],
      swiftSettings: settings),
    .testTarget(
      name: "StorageTests", dependencies: ["Model", "Storage", "FuzzSupport", grdb], swiftSettings: settings),
    .testTarget(name: "DagBagTests", dependencies: ["DagBag", "FuzzSupport"], swiftSettings: settings),
    // Checks requests against Google's own descriptions of its APIs. Only for tests.
    .target(
      name: "GoogleDiscovery", dependencies: ["Dagrun", "GoogleCloud", "Processes"],
      path: "Tests/Support/GoogleDiscovery",
      swiftSettings: settings),
    // A process that waits for answers and does nothing else, for a test that counts its threads.
    .executableTarget(
      name: "WaitingFixture", dependencies: ["GoogleCloud"], path: "Tests/WaitingFixture", swiftSettings: settings),
    .testTarget(
      name: "GoogleCloudTests",
      dependencies: ["GoogleCloud", "GoogleDiscovery", "WaitingFixture", "COpenSSL", "FuzzSupport", "Processes"] + nio,
      swiftSettings: settings),
    // Google in memory, as far as a runner of jobs asks it. Only for tests.
    .target(
      name: "ModelCloud", dependencies: ["Clash", "Dagrun", "GoogleCloud", "Model"], path: "Tests/Support/ModelCloud",
      swiftSettings: settings),
    .testTarget(
      name: "ClashTests",
      dependencies: [
        "Clash", "CloudEmulator", "FuzzSupport", "GoogleDiscovery", "Model", "ModelCloud", "Processes", "WaitSupport",
        "Yams", logging,
      ],
      swiftSettings: settings),
    .testTarget(
      name: "JobControlTests",
      dependencies: [
        "JobControl", "Clash", "Dagrun", "GoogleCloud", "Model", "ModelCloud", "Processes", "Storage", logging,
      ],
      swiftSettings: settings),
    // The processes of an emulated VM, without the rest of the command.
    .executableTarget(
      name: "MachineFixture", dependencies: ["CloudEmulator", "Processes"], path: "Tests/MachineFixture",
      swiftSettings: settings),
    .testTarget(
      name: "CloudEmulatorTests",
      dependencies: ["CloudEmulator", "MachineFixture", "GoogleCloud", "GoogleDiscovery", "Processes", "COpenSSL"]
        + nio,
      swiftSettings: settings),
    .testTarget(name: "ModelTests", dependencies: ["Dagrun", "Model", "FuzzSupport"], swiftSettings: settings),
    .testTarget(name: "PreparationTests", dependencies: ["Dagrun", "Model", "Preparation"], swiftSettings: settings),
    .testTarget(name: "ProcessesTests", dependencies: ["Processes"], swiftSettings: settings),
    // A worker whose Swift tasks are written in the tests, so that they need no compiled DAG file.
    .executableTarget(
      name: "WorkerFixture", dependencies: ["Dagrun", "Workers"], path: "Tests/WorkerFixture", swiftSettings: settings),
    .testTarget(
      name: "WorkersTests",
      dependencies: ["Model", "Preparation", "Processes", "Workers", "WorkerFixture", "FuzzSupport", "WaitSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "ExecutorsTests", dependencies: ["Executors", "Model", "Workers", "Processes"], swiftSettings: settings),
    .testTarget(
      name: "ControlTests", dependencies: ["Control", "Dagrun", "Model", "Processes"], swiftSettings: settings),
    .testTarget(
      name: "EngineTests",
      dependencies: [
        "CLI", "Clash", "CloudEmulator", "Control", "Engine", "EngineSupport", "Executors", "FuzzSupport",
        "GoogleCloud", "Model", "Preparation", "Processes", "WaitSupport", grdb,
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CLITests",
      dependencies: [
        "AirflowPlugin", "CLI", "Clash", "Control", "Dagrun", "Engine", "Executors", "GoogleCloud", "JobControl",
        "Model", "Presentation", "Storage", grdb, argumentParser,
      ],
      swiftSettings: settings),
    .testTarget(
      name: "SimulationTests",
      dependencies: [
        "Control", "DagBag", "Dagrun", "Engine", "EngineSupport", "Executors", "Model", "ModelDatabase", "Preparation",
        "Processes", "Scheduling", "Storage", logging,
      ],
      swiftSettings: settings),
    .testTarget(
      name: "EndToEndTests", dependencies: ["CloudEmulator", "Processes", "WaitSupport", logging],
      swiftSettings: settings),
  ]
)
