import Testing

@testable import GoogleCloud

/// Where the services are, by the variables of Google's own tools.
struct EndpointTests {
  @Test func `without variables they are Google's`() throws {
    #expect(try Endpoints.fromEnvironment(["PUBSUB_EMULATOR_HOST": ""]) == Endpoints())
  }

  @Test(arguments: [
    ("COMPUTE", "http://h:1/compute/v1/", CloudService.compute, "http://h:1/compute/v1/"),
    ("COMPUTE", "http://h:1/compute/v1", .compute, "http://h:1/compute/v1/"),
    ("COMPUTE", "http://h:1", .compute, "http://h:1/compute/v1/"),
    ("COMPUTE", "HTTPS://h/prefix//", .compute, "https://h/prefix/"),
    ("PUBSUB", "http://h:1/", .pubSub, "http://h:1/v1/"),
    ("PUBSUB", "http://h:1/v1/", .pubSub, "http://h:1/v1/"),
    ("SECRETMANAGER", "http://[::1]:1", .secretManager, "http://[::1]:1/v1/"),
    ("STORAGE", "http://h:1/storage/v1/", .storage, "http://h:1/storage/v1/"),
    ("STORAGE", "http://h:1/storage/v1", .storageUpload, "http://h:1/upload/storage/v1/"),
  ])
  func `an override is completed`(name: String, value: String, service: CloudService, expected: String) throws {
    let endpoints = try Endpoints.fromEnvironment(["CLOUDSDK_API_ENDPOINT_OVERRIDES_\(name)": value])
    #expect(endpoints[service] == expected)
  }

  @Test(arguments: ["http://h:1", "http://h:1/", "http://h:1/v2/"])
  func `Cloud Logging has an override too`(value: String) throws {
    let endpoints = try Endpoints.fromEnvironment(["CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": value])
    #expect(endpoints.logging == "http://h:1/v2/")
  }

  @Test func `the emulators' variables go over the overrides, with or without a scheme`() throws {
    let places = try CloudPlaces(environment: [
      "PUBSUB_EMULATOR_HOST": "localhost:8085", "STORAGE_EMULATOR_HOST": "http://localhost:4443",
      "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": "http://other/",
    ])
    #expect(places.endpoints.pubSub == "http://localhost:8085/v1/")
    #expect(places.endpoints.storage == "http://localhost:4443/storage/v1/")
    #expect(places.endpoints.storageUpload == "http://localhost:4443/upload/storage/v1/")
    #expect(places.anonymous == [.pubSub, .storage, .storageUpload])
    #expect(places.signIn(for: .pubSub) == .never)
    #expect(places.signIn(for: .compute) == .required)
  }

  @Test(arguments: ["localhost:8085/x", "ftp://h/", "http://", "http://h/?a=b", "http://u:p4ss@h/", "http://h/#f", " "])
  func `what is not an address is refused with the variable's name`(value: String) throws {
    let failed = try #require(throws: CloudError.self) {
      try Endpoints.fromEnvironment(["CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": value])
    }
    #expect(failed.subject == "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE")
    #expect(failed.hint != nil)
    #expect(!"\(failed)".contains("p4ss"))
  }

  @Test(arguments: [
    ("http://127.0.0.1:1/", CloudPlaces.SignIn.ifPossible), ("http://localhost:1/", .ifPossible),
    ("http://[::1]:1/", .ifPossible), ("http://127.0.0.1.example.com/", .never), ("http://emulator:1/", .never),
    ("https://127.0.0.1:1/", .required),
  ])
  func `credentials go to this machine or over TLS`(base: String, expected: CloudPlaces.SignIn) {
    var places = CloudPlaces()
    places.endpoints.compute = base
    #expect(places.signIn(for: .compute) == expected)
  }
}
