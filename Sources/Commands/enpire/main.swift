print("enpire")
