// The categories that sell by the basket rather than by the box.

extension SampleCategory {
    static let hobby = [
        SampleCategory(
            "toys", share: 330, popularity: 75, facing: 8, basket: 3, .digits, "1 \"2\", 3",
            """
            Building bricks|Wooden train|Doll|Puzzle, 500 pieces|Board game|Card game|Plush bear|\
            Race track|Science kit|Craft box|Kitchen play set|Dinosaur
            """, "Castle|Harbour|Jungle|Moon base|Farm|Fire brigade|Under the sea",
            "from 3 years|from 5 years|from 8 years|from 12 years"),
        SampleCategory(
            "baby", share: 180, popularity: 45, facing: 6, basket: 4, .digits, "1 2, 3",
            """
            Nappies|Wet wipes|Bodysuit|Sleeping bag|Bottle|Dummy|Bib|High chair|Changing mat|Carrier
            """, "Lullo|Bébé Clair|Tummel|Minipop|Kribi", "size 1|size 2|size 3|size 4"),
        SampleCategory(
            "books", share: 450, popularity: 40, facing: 4, basket: 2, .digits, "The 2 1, 3",
            """
            Road|Garden|Winter|Cartographer|Lighthouse|Orchard|Ferryman|Archive|Island|Clock|Bridge|\
            Recipe Book|Language of Birds|Smaller Atlas|Night Train
            """,
            """
            Salt|Glass|Quiet|Unfinished|Borrowed|Northern|Paper|Seventh|Crooked|Golden|Hidden|\
            Electric|Silent|Blue|Last
            """, "paperback|hardback|audio CD"),
        SampleCategory(
            "stationery", share: 220, popularity: 35, facing: 10, basket: 6, .variant, "1 2, 3",
            """
            NOTE=Notebook|PEN=Fountain pen|GEL=Gel pen|PENC=Pencils HB|MARK=Marker|WASHI=Washi tape|\
            和紙=Washi paper 和紙|ENV=Envelopes|CAL=Calendar 2027|FOLD=Ring binder
            """, "BLK=black|BLU=blue|RED=red|GRN=green|NAT=natural",
            "A4=A4|A5=A5|A6=A6|P5=pack of 5"),
        SampleCategory(
            "sports", share: 280, popularity: 28, reach: 700, facing: 4, basket: 2, .variant,
            "1 2, 3",
            """
            YOGA=Yoga mat|DUMB=Dumbbell, pair|KETB=Kettlebell|BALL=Football|RACK=Tennis racket|\
            BIKE=Bicycle helmet|TENT=Tent|SLEEP=Sleeping bag −5 °C|BACK=Backpack|GOG=Ski goggles|\
            SWIM=Swim goggles
            """, "BLK=black|BLU=blue|LIM=lime|RED=red|GRY=grey",
            "XS=extra small|S=small|M=medium|L=large|XL=extra large"),
    ]

    static let daily = [
        SampleCategory(
            "grocery", share: 500, popularity: 90, facing: 18, basket: 8, .digits, "2 1, 3",
            """
            olive oil|spaghetti|basmati rice|dark chocolate 70 %|dark chocolate 85 %|strawberry jam|\
            honey|muesli, no added sugar|porridge oats|tomato passata|chickpeas|coffee beans|\
            shortbread|crème brûlée mix|ginger biscuits|sea salt|peanut butter|maple syrup
            """, "Fennwick|Casa Lupo|Daily|Hof & Feld|Três Irmãos|Plain/Good",
            "250 g|500 g|1 kg|3 for 2|catering pack"),
        SampleCategory(
            "drinks", share: 240, popularity: 80, facing: 16, basket: 12, .digits, "2 1, 3",
            """
            orange juice, 100 % fruit|apple juice|cola|tonic|lemonade|sparkling water|oat drink|\
            green tea 緑茶|black tea|lager 0.0 %|stout 4.2 %|red wine 13 %
            """, "Quell|Fennwick|Daily|Dà Shān|Brauhaus Ulm", "330 ml|750 ml|1 l|6 × 1 l"),
        SampleCategory(
            "beauty", share: 260, popularity: 50, facing: 8, basket: 3, .variant, "1 2, 3",
            """
            SHAM=Shampoo|COND=Conditioner|SOAP=Soap|CRÈME=Crème de nuit|SUN=Sun milk SPF 50|\
            LIP=Lip balm|NAIL=Nail polish|PERF=Eau de parfum|BATH=Bath salts, 20 % off|BEARD=Beard oil
            """, "ROSE=rose|LAV=lavender|CED=cedar|NEU=unscented|CIT=citrus",
            "30=30 ml|50=50 ml|100=100 ml|250=250 ml|400=400 ml"),
        SampleCategory(
            "apparel", share: 620, popularity: 55, facing: 5, basket: 3, .variant, "1, 2, 3",
            """
            TSH=T-shirt|POL=Polo shirt|HOO=Hoodie|JEA=Jeans|CHI=Chinos|DRE=Dress|SKI=Skirt|COA=Coat|\
            RAI=Rain jacket|CAR=Cardigan, 50 % wool|PYJ=Pyjamas|SOC=Socks (3 pairs)|BEL=Belt
            """,
            """
            RED=red|BLK=black|WHT=white|NVY=navy|GRN=green|GRY=grey|BRN=brown|PNK=pink|YEL=yellow|\
            ORG=orange
            """, "XS=XS|S=S|M=M|L=L|XL=XL"),
        SampleCategory(
            "shoes", share: 260, popularity: 30, reach: 750, facing: 3, basket: 1, .variant,
            "1, 2, 3",
            "RUN=Running shoe|SNE=Trainer|BOO=Boot|SAN=Sandal|LOA=Loafer|SLI=Slipper",
            "BLK=black|WHT=white|TAN=tan|NVY=navy",
            "36|37|38|39|40|41|42|43|44|45|46"),
    ]
}
