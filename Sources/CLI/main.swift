describeLibraryIfAsked()
print("dagrun")
