print("dagrun")
