import Foundation
import Testing

@testable import GoogleCloud

/// Both of Google's channels, and all spellings, end in one reason.
struct CloudErrorTests {
  @Test(
    arguments: [
      // HTTP answers: status, reason in camelCase.
      (404, "notFound", .notFound), (409, "alreadyExists", .alreadyExists), (400, "invalid", .invalid),
      (400, "required", .invalid), (400, "resourceInUseByAnotherResource", .inUse),
      (403, "forbidden", .permissionDenied),
      (403, "quotaExceeded", .quotaExceeded), (403, "rateLimitExceeded", .rateLimited),
      (403, "userRateLimitExceeded", .rateLimited), (503, "insufficientCapacity", .outOfCapacity),
      (503, "backendError", .unavailable), (500, "internalError", .unavailable), (401, "authError", .unauthenticated),
      (401, "required", .unauthenticated), (403, "accessNotConfigured", .apiDisabled),
      (403, "insufficientPermissions", .permissionDenied), (400, "resourceNotReady", .unavailable),
      (412, "conditionNotMet", .invalid), (429, "rateLimitExceeded", .rateLimited),
      (403, "billingNotEnabled", .apiDisabled),
      (403, "accountDisabled", .apiDisabled), (410, "gone", .notFound), (418, "teapot", .invalid),
    ] as [(Int, String, CloudError.Reason)])
  func `a reason of an HTTP answer`(status: Int, reason: String, expected: CloudError.Reason) {
    let error = CloudError.answer(
      status,
      #"{"error":{"code":\#(status),"message":"Words.","errors":[{"domain":"global","reason":"\#(reason)","message":"Words."}]}}"#
    )
    #expect(error.reason == expected)
    #expect(error.status == status && error.code == reason && error.message == "Words.")
    #expect(error.description == "cannot read thing t: Words.")
  }

  /// In Google's words, from reports of people who met them.
  @Test(arguments: [
    "This API method requires billing to be enabled. Please enable billing on project #p by visiting https://x then retry.",
    "The billing account for the owning project is disabled in state absent", "Billing must be enabled for activation.",
  ])
  func `billing that is off is not a role that is missing`(message: String) {
    let error = CloudError.answer(
      403,
      #"{"error":{"code":403,"message":"\#(message)","errors":[{"domain":"global","reason":"forbidden","message":"x"}]}}"#
    )
    #expect(error.reason == .apiDisabled)
    #expect(error.hint?.hasPrefix("link a billing account") == true)
  }

  @Test(arguments: [
    "Requested project not found or user does not have access to it (project=p). Make sure to specify the unique project "
      + "identifier and not the Google Cloud Console display name.",
    "The resource 'projects/p' was not found",
  ])
  func `a project that is not there is named`(message: String) {
    let error = CloudError.answer(404, #"{"error":{"code":404,"message":"\#(message)","status":"NOT_FOUND"}}"#)
    #expect(error.reason == .notFound)
    #expect(error.hint?.contains("`gcloud projects list`") == true, "\(error.hint ?? "no hint")")
  }

  @Test(
    arguments: [
      ("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", .inUse), ("QUOTA_EXCEEDED", .quotaExceeded),
      ("ZONE_RESOURCE_POOL_EXHAUSTED", .outOfCapacity), ("ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", .outOfCapacity),
      ("REGION_RESOURCE_POOL_EXHAUSTED", .outOfCapacity), ("RESOURCE_POOL_EXHAUSTED", .outOfCapacity),
      ("GPU_STOCKOUT", .outOfCapacity), ("insufficientCapacity", .outOfCapacity),
      ("INSUFFICIENT_CAPACITY", .outOfCapacity), ("IP_SPACE_EXHAUSTED", .outOfCapacity),
      ("IP_SPACE_EXHAUSTED_WITH_DETAILS", .outOfCapacity),
      ("TPU_STOCKOUT_OF_TOMORROW", .outOfCapacity), ("quotaExceeded", .quotaExceeded),
      ("RESOURCE_NOT_FOUND", .notFound),
      ("RESOURCE_ALREADY_EXISTS", .alreadyExists), ("INVALID_FIELD_VALUE", .invalid),
      ("PERMISSIONS_ERROR", .permissionDenied),
      ("SERVICE_ACCOUNT_ACCESS_DENIED", .permissionDenied), ("RATE_LIMIT_EXCEEDED", .rateLimited),
      ("INTERNAL_ERROR", .unavailable), ("RESOURCE_NOT_READY", .unavailable), ("SOMETHING_NEW", .other),
    ] as [(String, CloudError.Reason)])
  func `a code of an operation, or of a group's last attempt`(code: String, expected: CloudError.Reason) {
    let error = CloudError(
      [ComputeFault(code: code, message: "Words.")], operation: "insert instance group", subject: "train-1")
    #expect(error.reason == expected)
    #expect(error.status == nil && error.code == code)
    #expect(error.description == "cannot insert instance group train-1: Words.")
  }

  /// As Google words it when it is asked for what a zone does not have: the first by gcloud's own pattern for it, the
  /// others from reports of users of gcloud, Terraform and Dataproc.
  @Test(arguments: [
    (
      400, "invalid",
      "Invalid value for field 'resource.machineType': 'https://compute.googleapis.com/compute/v1/projects/p/zones/europe-west8-a/machineTypes/n1-standard-1'. Machine type with name 'n1-standard-1' does not exist in zone 'europe-west8-a'."
    ),
    (404, "notFound", "The resource 'projects/p/zones/us-central1-f/machineTypes/n2-highmem-2' was not found"),
    (404, "notFound", "The resource 'projects/p/zones/us-west1-b/acceleratorTypes/nvidia-tesla-p4' was not found"),
    (
      400, "badRequest", "The resource 'projects/p/zones/us-central1-f/acceleratorTypes/nvidia-tesla-k80' was not found"
    ),
    (400, "invalid", "accelerator type \"nvidia-tesla-t4\" does not exist in zone us-east1-b"),
  ])
  func `a machine type or an accelerator that a zone does not have`(status: Int, code: String, words: String) {
    let quoted = words.replacing("\"", with: "\\\"")
    let answered = CloudError.answer(
      status, #"{"error":{"code":\#(status),"message":"\#(quoted)","errors":[{"reason":"\#(code)"}]}}"#)
    let operation = CloudError(
      [ComputeFault(code: status == 404 ? "RESOURCE_NOT_FOUND" : "INVALID_FIELD_VALUE", message: words)],
      operation: "make the VM of", subject: "train-1")
    for error in [answered, operation] {
      #expect("\(error.reason)" == "notOffered")
      #expect(error.hint?.contains("not every zone has") == true)
    }
  }

  @Test(arguments: [
    (400, "invalid", "Invalid value for field 'zone': 'europe-west9-x'. Unknown zone."),
    (404, "notFound", "The resource 'projects/p/zones/europe-west9-x' was not found"),
    (404, "notFound", "The resource 'projects/p/regions/europe-west99' was not found"),
  ])
  func `a place that there is not has no machine either`(status: Int, code: String, words: String) {
    let error = CloudError.answer(
      status, #"{"error":{"code":\#(status),"message":"\#(words)","errors":[{"reason":"\#(code)"}]}}"#)
    #expect(error.reason == .notOffered)
    #expect(error.hint?.contains("gcloud compute zones list") == true, "\(error.hint ?? "no hint")")
  }

  @Test func `a subnetwork without a free address is told apart from a stock-out`() {
    let message = "IP space of 'projects/p/regions/r/subnetworks/default' is exhausted."
    let error = CloudError(
      [ComputeFault(code: "IP_SPACE_EXHAUSTED", message: message)], operation: "make the VM of", subject: "train-1")
    #expect(error.hint?.contains("no free address") == true)
  }

  @Test(arguments: [
    "The resource 'projects/p/zones/z/instanceGroupManagers/g' was not found",
    "The resource 'projects/p/global/images/i' was not found",
    "Invalid value for field 'resource.properties.machineType': 'zones/z/machineTypes/x'. Machine type specified in an instance template must be only a name.",
    "[n2-standard-4, nvidia-tesla-t4] features are not compatible for creating instance.",
  ])
  func `what no zone would take is another fault`(words: String) {
    let error = CloudError.answer(
      400, #"{"error":{"code":400,"message":"\#(words)","errors":[{"reason":"invalid"}]}}"#)
    #expect(error.reason == .invalid)
  }

  @Test(
    arguments: [
      (400, "INVALID_ARGUMENT", .invalid), (401, "UNAUTHENTICATED", .unauthenticated),
      (403, "PERMISSION_DENIED", .permissionDenied), (404, "NOT_FOUND", .notFound),
      (409, "ALREADY_EXISTS", .alreadyExists),
      (409, "ABORTED", .unavailable), (429, "RESOURCE_EXHAUSTED", .rateLimited), (499, "CANCELLED", .unavailable),
      (500, "INTERNAL", .unavailable), (500, "UNKNOWN", .unavailable), (501, "UNIMPLEMENTED", .invalid),
      (503, "UNAVAILABLE", .unavailable), (504, "DEADLINE_EXCEEDED", .unavailable),
      (400, "FAILED_PRECONDITION", .invalid),
    ] as [(Int, String, CloudError.Reason)])
  func `a status of gRPC`(status: Int, name: String, expected: CloudError.Reason) {
    let error = CloudError.answer(status, #"{"error":{"code":\#(status),"message":"Words.","status":"\#(name)"}}"#)
    #expect(error.reason == expected && error.code == name)
  }

  @Test(
    arguments: [
      (400, .invalid), (401, .unauthenticated), (403, .permissionDenied), (404, .notFound), (407, .network),
      (408, .unavailable),
      (409, .alreadyExists), (429, .rateLimited), (499, .unavailable), (500, .unavailable), (502, .unavailable),
      (503, .unavailable), (504, .unavailable), (302, .other),
    ] as [(Int, CloudError.Reason)])
  func `an answer without a word is judged by its status`(status: Int, expected: CloudError.Reason) {
    let error = CloudError.answer(status)
    #expect(error.reason == expected && error.code == nil)
    #expect(error.message.contains("\(status)"))
  }

  @Test func `an API that is switched off is told from a missing permission, with the page to switch it on`() {
    let error = CloudError.answer(
      403,
      """
      {"error":{"code":403,"message":"Compute Engine API has not been used in project 123 before or it is disabled.",
        "status":"PERMISSION_DENIED","errors":[{"reason":"forbidden"}],
        "details":[{"@type":"type.googleapis.com/google.rpc.Help","links":[]},
          {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED","domain":"googleapis.com",
           "metadata":{"service":"compute.googleapis.com","activationUrl":"https://console.example/enable"}}]}}
      """)
    #expect(error.reason == .apiDisabled && error.code == "SERVICE_DISABLED")
    #expect(
      error.hint
        == "switch it on with `gcloud services enable compute.googleapis.com --project p`, or at https://console.example/enable; it takes some minutes"
    )
  }

  @Test(arguments: [
    (
      403,
      "Required 'compute.instanceGroupManagers.create' permission for 'projects/p/zones/z/instanceGroupManagers/g'",
      "the permission compute.instanceGroupManagers.create is missing; roles/compute.instanceAdmin.v1 has it: `gcloud projects add-iam-policy-binding p"
    ),
    (
      403, "The user does not have access to service account 'x@y'. User: 'me'. Ask for iam.serviceAccounts.actAs",
      "grant roles/iam.serviceAccountUser on the VM's service account"
    ),
    (
      403, "Request had insufficient authentication scopes.",
      "the credentials lack the scope https://www.googleapis.com/auth/cloud-platform"
    ),
    (
      412, "Constraint constraints/compute.vmExternalIpAccess violated for project p.",
      "the organisation forbids external addresses"
    ),
    (401, "Request had invalid authentication credentials.", "sign in with `gcloud auth application-default login`"),
    (
      404, "The resource 'projects/p/zones/z/machineTypes/n9-huge' was not found",
      "not every zone has every machine type"
    ),
  ])
  func `a hint says what to do next`(status: Int, message: String, hint: String) {
    let error = CloudError.answer(status, #"{"error":{"code":\#(status),"message":"\#(message)"}}"#)
    #expect(error.hint?.contains(hint) == true, "\(error.hint ?? "none")")
  }

  @Test func `a quota's hint names the quota and the region`() {
    let message = "Quota 'NVIDIA_T4_GPUS' exceeded.  Limit: 1.0 in region europe-west1."
    let error = CloudError([ComputeFault(code: "QUOTA_EXCEEDED", message: message)], operation: "o", subject: "s")
    #expect(error.hint?.hasPrefix("raise NVIDIA_T4_GPUS in europe-west1 (https://console.cloud.google.com/") == true)
  }

  @Test func `no other region is recommended for a quota of all regions`() {
    let fault = ComputeFault(
      code: "QUOTA_EXCEEDED", message: "Quota 'GPUS_ALL_REGIONS' exceeded.  Limit: 0.0 globally.")
    let error = CloudError([fault], operation: "o", subject: "s", project: "p")
    #expect(
      error.hint
        == "raise GPUS_ALL_REGIONS (https://console.cloud.google.com/iam-admin/quotas?project=p): it counts all regions together, so that another region does not help"
    )
  }

  @Test func `a stock-out's hint names the zone, and that others may have machines`() {
    let message =
      "The zone 'projects/p/zones/europe-west1-b' does not have enough resources available to fulfill the request."
    let error = CloudError(
      [ComputeFault(code: "ZONE_RESOURCE_POOL_EXHAUSTED", message: message)], operation: "o", subject: "s")
    #expect(error.hint?.contains("add a zone besides europe-west1-b to the job (others of europe-west1") == true)
  }

  @Test func `a broken policy of the organisation is a missing permission, not a wrong request`() {
    let fault = ComputeFault(
      code: "CONDITION_NOT_MET", message: "Constraint constraints/compute.trustedImageProjects violated for project p.")
    let error = CloudError([fault], operation: "o", subject: "s")
    #expect(error.reason == .permissionDenied)
    #expect(error.hint?.contains("constraints/compute.trustedImageProjects") == true)
  }

  @Test func `of several faults the first that is known is told`() {
    let faults = [ComputeFault(code: "NEW", message: "new"), ComputeFault(code: "QUOTA_EXCEEDED", message: "quota")]
    #expect(CloudError(faults, operation: "o", subject: "s").message == "quota")
    #expect(CloudError([], operation: "o", subject: "s").reason == .other)
  }

  @Test func `a fault without words shows its code, or the detail for people`() {
    #expect(CloudError([ComputeFault(code: "X_Y", message: nil)], operation: "o", subject: "s").message.contains("X_Y"))
    var detail = ComputeFault.Detail()
    detail.localizedMessage = .init(message: "No more of these.")
    let fault = ComputeFault(code: "X_Y", message: nil, errorDetails: [detail])
    #expect(CloudError([fault], operation: "o", subject: "s").message == "No more of these.")
  }

  @Test func `a proxy's page is read as words, cut, and a 404 of it is not taken for a missing resource`() {
    let page =
      "<!DOCTYPE html><html><head><title>Error 404</title><style>p {color: red}</style></head><body><p>No such &amp; page."
      + String(repeating: " Words", count: 500) + "</body></html>"
    let error = CloudError.answer(404, page)
    #expect(error.reason == .badAnswer)
    #expect(error.message.hasPrefix("a web page that says: Error 404 No such & page. Words"))
    #expect(error.message.count < 610 && !error.message.contains("color"))
    #expect(error.hint?.contains("proxy") == true)
    #expect(CloudError.answer(502, "<html><h1>Bad gateway</h1></html>").reason == .unavailable)
  }

  @Test func `plain words of a media download are words`() {
    let error = CloudError.answer(404, "No such object: b/o")
    #expect(error.reason == .notFound && error.message == "No such object: b/o")
  }

  @Test func `an error in OAuth's form, or in a list, is read too`() {
    let refused = CloudError.answer(400, #"{"error":"invalid_grant","error_description":"Bad Request"}"#)
    #expect(refused.reason == .unauthenticated && refused.message == "Bad Request")
    #expect(
      CloudError.answer(404, #"[{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}]"#).message == "gone")
  }

  @Test func `only what may go better later is transient`() {
    let transient = CloudError.Reason.allCases.filter {
      CloudError($0, operation: "o", subject: "s", message: "").isTransient
    }
    #expect(Set(transient) == [.rateLimited, .unavailable, .network, .badAnswer])
  }
}
