/// The methods of Cloud Storage that are emulated, by Google's names.
enum StorageMethod: String, Sendable, CaseIterable {
  case bucketsInsert = "storage.buckets.insert"
  case bucketsGet = "storage.buckets.get"
  case bucketsList = "storage.buckets.list"
  case bucketsDelete = "storage.buckets.delete"
  case objectsGet = "storage.objects.get"
  case objectsList = "storage.objects.list"
  case objectsDelete = "storage.objects.delete"
  case objectsUpload = "storage.objects.insert"
  /// A part of a resumable upload.
  case objectsUploadChunk = "storage.objects.insert.chunk"
}

extension StorageMethod {
  /// From the discovery document of storage v1; below the address, for uploads have a base of their own.
  static let routes = RouteTable<StorageMethod>(
    """
    storage.buckets.insert POST storage/v1/b enableObjectRetention predefinedAcl predefinedDefaultObjectAcl project \
    projection userProject
    storage.buckets.get GET storage/v1/b/{bucket} @object softDeleted
    storage.buckets.list GET storage/v1/b maxResults pageToken prefix project projection returnPartialSuccess \
    softDeleted userProject
    storage.buckets.delete DELETE storage/v1/b/{bucket} @object
    storage.objects.get GET storage/v1/b/{bucket}/o/{object} @object restoreToken softDeleted
    storage.objects.get GET download/storage/v1/b/{bucket}/o/{object} @object restoreToken softDeleted
    storage.objects.list GET storage/v1/b/{bucket}/o delimiter endOffset filter includeFoldersAsPrefixes \
    includeTrailingDelimiter matchGlob maxResults pageToken prefix projection softDeleted startOffset userProject versions
    storage.objects.delete DELETE storage/v1/b/{bucket}/o/{object} @object
    storage.objects.insert POST upload/storage/v1/b/{bucket}/o @object contentEncoding kmsKeyName name predefinedAcl \
    upload_id
    storage.objects.insert.chunk PUT upload/storage/v1/b/{bucket}/o @object name upload_id
    """.replacing(
      "@object",
      with: "generation ifGenerationMatch ifGenerationNotMatch ifMetagenerationMatch ifMetagenerationNotMatch "
        + "projection userProject"))
}
